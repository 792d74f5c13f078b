package experiment

import (
	"errors"
	"fmt"

	"github.com/fairlead/fairlead/base/store"
)

// Code is MLflow's name for a kind of refusal; its client makes the exception from it.
type Code string

// The codes that are given here.
const (
	InvalidParameterValue Code = "INVALID_PARAMETER_VALUE"
	BadRequest            Code = "BAD_REQUEST"
	AlreadyExists         Code = "RESOURCE_ALREADY_EXISTS"
	DoesNotExist          Code = "RESOURCE_DOES_NOT_EXIST"
	Exhausted             Code = "RESOURCE_EXHAUSTED"
)

// Error is a refusal of what was asked, which was not done.
type Error struct {
	Code Code
	// Message is for a person; it names what is wrong and what would be right.
	Message string
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Refuse returns a refusal.
func Refuse(code Code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// invalid returns the refusal of a value.
func invalid(format string, args ...any) error { return Refuse(InvalidParameterValue, format, args...) }

// CodeOf returns the code of a refusal; "" if err is none.
func CodeOf(err error) Code {
	if refusal, ok := errors.AsType[*Error](err); ok {
		return refusal.Code
	}
	return ""
}

// missing turns the absence of a row into a refusal, and leaves other errors as they are.
func missing(err error, format string, args ...any) error {
	if errors.Is(store.Classify(err), store.ErrNotFound) {
		return Refuse(DoesNotExist, format, args...)
	}
	return store.Classify(err)
}

// Cut returns the beginning of a text, for a message.
func Cut(text string) string {
	const most = 100
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return text
}
