module hello

go 1.24

require agentmem/sdk v0.0.0

require github.com/extism/go-pdk v1.1.3 // indirect

replace agentmem/sdk => ../../sdk/go
