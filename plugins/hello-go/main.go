// Command hello-go is `hello` in Go: greets, reads its config, writes a log line, and says who it is.
//
// | export     | in                     | out                           |
// |------------|------------------------|-------------------------------|
// | `hello`    | {"message": "World"}   | {"greeting": "Hello, World!"} |
// | `metadata` | nothing                | who the plugin is             |
//
// The word before the comma is the config value `greeting_word`.
package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"strings"

	agentmem "agentmem/sdk"
)

const defaultWord = "Hello"

//go:embed metadata.json
var metadataText []byte

type request struct {
	Message *string `json:"message"`
}

type response struct {
	Greeting string `json:"greeting"`
}

//go:wasmexport hello
func hello() int32 { return agentmem.Tool(greet) }

//go:wasmexport metadata
func metadata() int32 { return agentmem.Output(json.RawMessage(metadataText)) }

func greet(in request) (response, error) {
	if in.Message == nil {
		return response{}, errors.New(`the input is not right: expected {"message": string}`)
	}
	word := greetingWord()
	agentmem.Log("info", "greeted", map[string]any{"word": word, "message_bytes": len(*in.Message)})
	return response{Greeting: word + ", " + *in.Message + "!"}, nil
}

// greetingWord is the config value where it is a text that is not blank.
func greetingWord() string {
	var word string
	if agentmem.Config("greeting_word", &word) && strings.TrimSpace(word) != "" {
		return strings.TrimSpace(word)
	}
	return defaultWord
}

func main() {}
