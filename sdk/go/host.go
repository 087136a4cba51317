package agentmem

import "encoding/json"

// One line for each host function, by its own name. A module imports only those that it calls; each belongs to one
// capability, which the manifest must ask for. docs/capabilities.md has the requests and the data.

//go:wasmimport agentmem add_memory
func addMemory(request uint64) uint64

//go:wasmimport agentmem get_memory
func getMemory(request uint64) uint64

//go:wasmimport agentmem update_memory
func updateMemory(request uint64) uint64

//go:wasmimport agentmem delete_memory
func deleteMemory(request uint64) uint64

//go:wasmimport agentmem search_memories
func searchMemories(request uint64) uint64

//go:wasmimport agentmem store_data
func storeData(request uint64) uint64

//go:wasmimport agentmem load_data
func loadData(request uint64) uint64

//go:wasmimport agentmem delete_data
func deleteData(request uint64) uint64

//go:wasmimport agentmem list_data
func listData(request uint64) uint64

//go:wasmimport agentmem search
func search(request uint64) uint64

//go:wasmimport agentmem embed
func embed(request uint64) uint64

//go:wasmimport agentmem call_llm
func callLLM(request uint64) uint64

//go:wasmimport agentmem http_request
func httpRequest(request uint64) uint64

//go:wasmimport agentmem read_file
func readFile(request uint64) uint64

//go:wasmimport agentmem write_file
func writeFile(request uint64) uint64

//go:wasmimport agentmem list_files
func listFiles(request uint64) uint64

//go:wasmimport agentmem delete_file
func deleteFile(request uint64) uint64

//go:wasmimport agentmem log
func logLine(request uint64) uint64

//go:wasmimport agentmem get_config
func getConfig(request uint64) uint64

// AddMemory calls add_memory.
func AddMemory(request any) (json.RawMessage, error) { return call("add_memory", addMemory, request) }

// GetMemory calls get_memory.
func GetMemory(request any) (json.RawMessage, error) { return call("get_memory", getMemory, request) }

// UpdateMemory calls update_memory.
func UpdateMemory(request any) (json.RawMessage, error) {
	return call("update_memory", updateMemory, request)
}

// DeleteMemory calls delete_memory.
func DeleteMemory(request any) (json.RawMessage, error) {
	return call("delete_memory", deleteMemory, request)
}

// SearchMemories calls search_memories.
func SearchMemories(request any) (json.RawMessage, error) {
	return call("search_memories", searchMemories, request)
}

// StoreData calls store_data.
func StoreData(request any) (json.RawMessage, error) { return call("store_data", storeData, request) }

// LoadData calls load_data.
func LoadData(request any) (json.RawMessage, error) { return call("load_data", loadData, request) }

// DeleteData calls delete_data.
func DeleteData(request any) (json.RawMessage, error) {
	return call("delete_data", deleteData, request)
}

// ListData calls list_data.
func ListData(request any) (json.RawMessage, error) { return call("list_data", listData, request) }

// Search calls search, which ranks the candidates that it is given.
func Search(request any) (json.RawMessage, error) { return call("search", search, request) }

// Embed calls embed.
func Embed(request any) (json.RawMessage, error) { return call("embed", embed, request) }

// CallLLM calls call_llm.
func CallLLM(request any) (json.RawMessage, error) { return call("call_llm", callLLM, request) }

// HTTPRequest calls http_request.
func HTTPRequest(request any) (json.RawMessage, error) {
	return call("http_request", httpRequest, request)
}

// ReadFile calls read_file.
func ReadFile(request any) (json.RawMessage, error) { return call("read_file", readFile, request) }

// WriteFile calls write_file.
func WriteFile(request any) (json.RawMessage, error) { return call("write_file", writeFile, request) }

// ListFiles calls list_files.
func ListFiles(request any) (json.RawMessage, error) { return call("list_files", listFiles, request) }

// DeleteFile calls delete_file.
func DeleteFile(request any) (json.RawMessage, error) {
	return call("delete_file", deleteFile, request)
}

// Log writes one line, with a level such as "info". A host that refuses it does not fail the call.
func Log(level, message string, fields map[string]any) {
	line := map[string]any{"level": level, "message": message}
	if fields != nil {
		line["fields"] = fields
	}
	_, _ = call("log", logLine, line)
}

// Config reads the config value of a key into a pointer. It leaves it alone, and answers false, where the value is
// unset, not to be had or of another type.
func Config(key string, into any) bool {
	data, err := call("get_config", getConfig, map[string]string{"key": key})
	return err == nil && string(data) != "null" && json.Unmarshal(data, into) == nil
}
