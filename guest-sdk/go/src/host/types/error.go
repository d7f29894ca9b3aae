package types

import "fmt"

// Error is what the host answered, in words.
func (self Error) Error() string {
	switch self.tag {
	case Error_Denied:
		denial := self.Denied()
		return fmt.Sprintf("%s: %s is not granted; what would allow it:\n%s", denial.Capability, denial.Asked, denial.Grant)
	case Error_Invalid:
		invalid := self.Invalid()
		return fmt.Sprintf("%s: %s", invalid.Argument, invalid.Reason)
	default:
		return self.Other()
	}
}
