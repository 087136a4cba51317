// Command probe calls the host function that its input names: {"function": "log", "request": {…}}. It answers as the
// host does, less what the SDK does not hand on.
package main

import (
	"encoding/json"
	"errors"
	"fmt"

	agentmem "agentmem/sdk"
)

type asked struct {
	Function string         `json:"function"`
	Request  map[string]any `json:"request"`
}

type envelope struct {
	Success  bool              `json:"success"`
	Data     json.RawMessage   `json:"data"`
	Error    string            `json:"error"`
	Metadata map[string]string `json:"metadata"`
}

//go:wasmexport ask
func ask() int32 { return agentmem.Tool(answer) }

func answer(in asked) (envelope, error) {
	data, err := call(in)
	var refused *agentmem.Error
	if errors.As(err, &refused) {
		return envelope{Error: refused.Message, Metadata: map[string]string{"code": refused.Code}}, nil
	}
	return envelope{Success: true, Data: data}, err
}

func call(in asked) (json.RawMessage, error) {
	switch in.Function {
	case "add_memory":
		return agentmem.AddMemory(in.Request)
	case "get_memory":
		return agentmem.GetMemory(in.Request)
	case "update_memory":
		return agentmem.UpdateMemory(in.Request)
	case "delete_memory":
		return agentmem.DeleteMemory(in.Request)
	case "search_memories":
		return agentmem.SearchMemories(in.Request)
	case "store_data":
		return agentmem.StoreData(in.Request)
	case "load_data":
		return agentmem.LoadData(in.Request)
	case "delete_data":
		return agentmem.DeleteData(in.Request)
	case "list_data":
		return agentmem.ListData(in.Request)
	case "search":
		return agentmem.Search(in.Request)
	case "embed":
		return agentmem.Embed(in.Request)
	case "call_llm":
		return agentmem.CallLLM(in.Request)
	case "http_request":
		return agentmem.HTTPRequest(in.Request)
	case "read_file":
		return agentmem.ReadFile(in.Request)
	case "write_file":
		return agentmem.WriteFile(in.Request)
	case "list_files":
		return agentmem.ListFiles(in.Request)
	case "delete_file":
		return agentmem.DeleteFile(in.Request)
	case "log":
		agentmem.Log(fmt.Sprint(in.Request["level"]), fmt.Sprint(in.Request["message"]), nil)
		return json.RawMessage("null"), nil
	case "get_config":
		var value any
		found := agentmem.Config(fmt.Sprint(in.Request["key"]), &value)
		text, err := json.Marshal(value)
		if !found {
			return nil, errors.New("no such value")
		}
		return text, err
	}
	return nil, errors.New("no such function")
}

func main() {}
