// Package guest is the part of the SDK that every policy shares. The packages below host are the interfaces of the
// contract, made from wit/*.wit, which documents every function, field and unit.
package guest

import wit "stead/guest/internal/wit/types"

// Option is a value that may be absent. The zero value is: a record needs only the fields that you mean.
type Option[T any] = wit.Option[T]

// Pair is two values that belong together.
type Pair[A, B any] = wit.Tuple2[A, B]

// Some is a value that is there.
func Some[T any](value T) Option[T] { return wit.Some(value) }
