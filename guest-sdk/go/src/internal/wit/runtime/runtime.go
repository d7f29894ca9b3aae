// Package runtime gives the host and the generated bindings memory: what the host writes its answers to must not be moved
// or freed before it has been read.
package runtime

import (
	"runtime"
	"unsafe"
)

// ready is false while Go itself starts: the host may need memory before there is a heap.
var ready bool

func init() { ready = true }

// answers keeps what the host has written since the last call of Unpin.
var answers runtime.Pinner

// Unpin gives up what the host has written.
func Unpin() { answers.Unpin() }

// Allocate is memory of this size that stays where it is as long as the pinner holds it.
func Allocate(pinner *runtime.Pinner, size, align uintptr) unsafe.Pointer {
	if size == 0 {
		return nil
	}
	// As words of 8 bytes it is aligned for everything that the contract has.
	memory := unsafe.Pointer(unsafe.SliceData(make([]uint64, (size+7)/8)))
	pinner.Pin(memory)
	return memory
}

//go:linkname sbrk runtime.sbrk
func sbrk(size uintptr) unsafe.Pointer

// The garbage collector asks what time it is, which no policy may while the host waits for memory: the adapter then
// answers with the time that it knows.
//
//go:wasmimport wasi_snapshot_preview1 adapter_monotonic_clock_set_paused
func pauseClock(paused bool)

//go:wasmexport cabi_realloc
func realloc(old unsafe.Pointer, oldSize, align, size uintptr) unsafe.Pointer {
	if old != nil || oldSize != 0 {
		panic("the host does not ask for more of what it has")
	}
	if !ready {
		start := uintptr(sbrk(size + align))
		return unsafe.Pointer((start + align - 1) &^ (align - 1))
	}
	pauseClock(true)
	memory := Allocate(&answers, size, align)
	pauseClock(false)
	return memory
}
