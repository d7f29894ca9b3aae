package config

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Parse reads the settings into a struct. A key that it does not have is an error: a typo of the operator.
func Parse(into any) error {
	decoder := json.NewDecoder(strings.NewReader(Get()))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("config: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}
