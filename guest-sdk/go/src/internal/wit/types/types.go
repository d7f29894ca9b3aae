// Package types is what the generated bindings need of the component model's types.
package types

// The tags of a Result and of an Option.
const (
	ResultOk   = 0
	ResultErr  = 1
	OptionNone = 0
	OptionSome = 1
)

// Unit is no value.
type Unit struct{}

// Tuple2 is two values.
type Tuple2[A, B any] struct {
	F0 A
	F1 B
}

// Option is a value that may be absent, as its zero value is.
type Option[T any] struct {
	tag   uint8
	value T
}

// Some is an option with a value.
func Some[T any](value T) Option[T] { return Option[T]{OptionSome, value} }

// None is an option without one.
func None[T any]() Option[T] { return Option[T]{} }

// Tag tells whether there is a value.
func (o Option[T]) Tag() uint8 { return o.tag }

// Some is the value.
func (o Option[T]) Some() T {
	if o.tag != OptionSome {
		panic("an absent value was asked for")
	}
	return o.value
}

// SomeOr is the value, or another one when it is absent.
func (o Option[T]) SomeOr(other T) T {
	if o.tag != OptionSome {
		return other
	}
	return o.value
}

// IsSome tells whether there is a value.
func (o Option[T]) IsSome() bool { return o.tag == OptionSome }

// Result is a value or an error, as it crosses the border to the host.
type Result[T, E any] struct {
	tag uint8
	ok  T
	err E
}

// Ok is a result with a value.
func Ok[T, E any](value T) Result[T, E] { return Result[T, E]{tag: ResultOk, ok: value} }

// Err is a result with an error.
func Err[T, E any](err E) Result[T, E] { return Result[T, E]{tag: ResultErr, err: err} }

// Tag tells which of both it is.
func (r Result[T, E]) Tag() uint8 { return r.tag }

// Ok is the value.
func (r Result[T, E]) Ok() T { return r.ok }

// Err is the error.
func (r Result[T, E]) Err() E { return r.err }

// Check turns a result into what Go returns.
func Check[T any, E error](result Result[T, E]) (T, error) {
	if result.tag == ResultErr {
		return result.ok, result.err
	}
	return result.ok, nil
}
