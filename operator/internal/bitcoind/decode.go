package bitcoind

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/btcjson"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// An answer is read once, into the fields that somebody reads: most of it is about peers
// what nobody asks, and the nodes of a network are a thousand. What is read over costs
// nothing, however much a hostile node makes of it.

// lenient has JSON be read as bitcoind writes it.
var lenient = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

// call is one method with its parameters, and what its result is read into: a pointer, nil
// where nobody reads it.
type call struct {
	method string
	params []any
	result any
}

// tell is a call whose result nobody reads.
func tell(method string, params ...any) call { return call{method: method, params: params} }

// decodeBatch reads the responses to calls, which bitcoind gives in the order of these,
// numbered from 0, and returns the error of each.
func decodeBatch(answer *bytes.Buffer, calls []call) ([]*btcjson.RPCError, error) {
	decoder := jsontext.NewDecoder(answer, lenient)
	failed, missing := make([]*btcjson.RPCError, 0, len(calls)), ""
	err := eachItem(decoder, len(calls), func() error {
		call := calls[len(failed)]
		response, err := decodeResponse(decoder, call)
		if err != nil {
			return fmt.Errorf("%s: %w", call.method, err)
		}
		if response.id == nil || *response.id != len(failed) {
			return fmt.Errorf("%w: a response with an unknown id", ErrAnswer)
		}
		if response.failed == nil && call.result != nil && !response.hasResult {
			missing = cmp.Or(missing, call.method)
		}
		failed = append(failed, response.failed)
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case len(failed) != len(calls):
		return nil, fmt.Errorf("%w: %d responses to %d calls", ErrAnswer, len(failed), len(calls))
	case missing != "" && !slices.ContainsFunc(failed, func(err *btcjson.RPCError) bool { return err != nil }):
		return nil, fmt.Errorf("%s: %w: no result", missing, ErrAnswer)
	}
	return failed, nil
}

// response is what a node says to a call, beside the result.
type response struct {
	failed    *btcjson.RPCError
	id        *int
	hasResult bool
}

// decodeResponse reads the next response as that to a call.
func decodeResponse(decoder *jsontext.Decoder, call call) (response, error) {
	var response response
	if decoder.PeekKind() != '{' {
		return response, fmt.Errorf("%w: a response that is not a JSON object", ErrAnswer)
	}
	err := eachMember(decoder, func(name jsontext.Value) any {
		switch string(name) {
		case `"result"`:
			if response.hasResult = decoder.PeekKind() != 'n'; response.hasResult {
				return call.result
			}
		case `"error"`:
			return &response.failed
		case `"id"`:
			return &response.id
		}
		return nil
	})
	if response.failed != nil {
		response.failed.Message = printable(response.failed.Message)
	}
	return response, asAnswer(err)
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom, twice as fast as by the tags: most of
// an answer is about peers, and of each nobody asks for most.
func (p *Peer) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	return eachMember(decoder, func(name jsontext.Value) any {
		switch string(name) {
		case `"id"`:
			return &p.ID
		case `"addr"`:
			return &p.Addr
		case `"inbound"`:
			return &p.Inbound
		case `"version"`:
			return &p.Version
		case `"subver"`:
			return &p.SubVer
		case `"lastsend"`:
			return &p.LastSend
		case `"lastrecv"`:
			return &p.LastRecv
		}
		return nil
	})
}

// eachMember reads the members of the next value, which must be a JSON object, into what
// they are to be read into: a pointer, or nil for those that nobody reads. Their names
// come as they are written.
func eachMember(decoder *jsontext.Decoder, into func(name jsontext.Value) any) error {
	if decoder.PeekKind() != '{' {
		return fmt.Errorf("%w: not a JSON object", ErrAnswer)
	}
	if _, err := decoder.ReadToken(); err != nil {
		return err
	}
	for decoder.PeekKind() != '}' {
		name, err := decoder.ReadValue()
		if err != nil {
			return err
		}
		if pointer := into(name); pointer != nil {
			err = json.UnmarshalDecode(decoder, pointer)
		} else {
			err = decoder.SkipValue()
		}
		if err != nil {
			return err
		}
	}
	_, err := decoder.ReadToken()
	return err
}

// info is a JSON object of the size that bitcoind's answers about itself have.
type info struct{ into any }

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (i *info) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	begin := decoder.InputOffset()
	if err := json.UnmarshalDecode(decoder, i.into); err != nil {
		return err
	}
	if decoder.InputOffset()-begin > maxInfoBytes {
		return fmt.Errorf("%w: it is longer than %d bytes", ErrAnswer, maxInfoBytes)
	}
	return nil
}

// list is a JSON array of at most so many items. They are nil for one that was not read.
type list[T any] struct {
	items []T
	limit int
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom. It counts while it reads: half a
// megabyte of "{},{},…" must not become fifty of Go structs.
func (l *list[T]) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	l.items = make([]T, 0, min(l.limit, 8))
	return eachItem(decoder, l.limit, func() error {
		var item T
		if err := json.UnmarshalDecode(decoder, &item); err != nil {
			return err
		}
		l.items = append(l.items, item)
		return nil
	})
}

// warnings are the first few of those that a node tells of, in a list, or in a text as
// earlier versions do: short and printable.
type warnings []string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (w *warnings) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	*w = nil
	read := func() error {
		if len(*w) == maxWarnings {
			return decoder.SkipValue()
		}
		var warning string
		if err := json.UnmarshalDecode(decoder, &warning); err != nil {
			return err
		}
		if warning != "" { // of none some versions say ""
			*w = append(*w, printable(warning))
		}
		return nil
	}
	if decoder.PeekKind() == '"' {
		return read()
	}
	return eachItem(decoder, maxAnswerBytes, read)
}

// eachItem has the items of the next value read, which must be a JSON array of at most so
// many.
func eachItem(decoder *jsontext.Decoder, limit int, read func() error) error {
	if decoder.PeekKind() != '[' {
		return fmt.Errorf("%w: not a JSON array", ErrAnswer)
	}
	if _, err := decoder.ReadToken(); err != nil {
		return asAnswer(err)
	}
	for items := 0; decoder.PeekKind() != ']'; items++ {
		if items == limit {
			return fmt.Errorf("%w: a list of more than %d items", ErrAnswer, limit)
		}
		if err := read(); err != nil {
			return asAnswer(err)
		}
	}
	_, err := decoder.ReadToken()
	return asAnswer(err)
}

// asAnswer tells of what is wrong with JSON that the answer is.
func asAnswer(err error) error {
	if err == nil || errors.Is(err, ErrAnswer) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrAnswer, err)
}
