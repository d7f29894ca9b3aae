package log

import (
	"fmt"
	"strings"
)

// Info tells the operator something by the way.
func Info(format string, values ...any) { lines(Level_Info, format, values) }

// Warn tells the operator something that may be wrong.
func Warn(format string, values ...any) { lines(Level_Warn, format, values) }

func lines(level Level, format string, values []any) {
	for line := range strings.SplitSeq(strings.TrimSuffix(fmt.Sprintf(format, values...), "\n"), "\n") {
		Log(level, line)
	}
}
