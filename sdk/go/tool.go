// Package agentmem is a plugin's view of the host, in Go: tools as functions, and every host function.
//
// It is thin: a request is any value that encoding/json can write, the data of an answer is JSON for the caller to
// read. Memory blocks go through the official Extism PDK. Nothing of a plugin's own tools is here.
package agentmem

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/extism/go-pdk"
)

// Error is what the host answered in place of data.
type Error struct {
	Function string // the host function
	Code     string // stable, such as "capability_denied"
	Message  string // a sentence
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Function, e.Message) }

// Tool runs a function on what this call was given, and answers what it gives: the whole body of an export.
// Input that does not fit the type, unknown fields included, an error and a panic are errors that the caller reads.
func Tool[In, Out any](run func(In) (Out, error)) (code int32) {
	defer func() {
		if problem := recover(); problem != nil {
			code = fail(fmt.Errorf("the plugin failed: %v", problem))
		}
	}()
	var in In
	if err := strictly(pdk.Input(), &in); err != nil {
		return fail(fmt.Errorf("the input is not right: %w", err))
	}
	out, err := run(in)
	if err != nil {
		return fail(err)
	}
	return Output(out)
}

// Output answers a value as JSON; it gives what an export returns.
func Output(value any) int32 {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fail(err)
	}
	pdk.Output(bytes.TrimSuffix(text.Bytes(), []byte("\n")))
	return 0
}

func fail(err error) int32 {
	pdk.SetError(err)
	return 1
}

func strictly(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return fmt.Errorf("there is more than one JSON value")
	}
	return nil
}

// call gives the host a request and reads the envelope of its answer.
func call(name string, function func(uint64) uint64, request any) (json.RawMessage, error) {
	text, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	asked := pdk.AllocateBytes(text)
	defer asked.Free()
	answered := pdk.FindMemory(function(asked.Offset()))
	defer answered.Free()
	var envelope struct {
		Success  bool            `json:"success"`
		Data     json.RawMessage `json:"data"`
		Error    string          `json:"error"`
		Metadata struct {
			Code string `json:"code"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(answered.ReadBytes(), &envelope); err != nil {
		return nil, fmt.Errorf("the host answered %s with no envelope: %w", name, err)
	}
	if !envelope.Success {
		return nil, &Error{name, envelope.Metadata.Code, envelope.Error}
	}
	return envelope.Data, nil
}
