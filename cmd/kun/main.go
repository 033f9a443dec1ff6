// Command kun takes a person from raw data to a model in use. `kun --help` lists what it does.
package main

import (
	"os"

	"github.com/kun-ml/kun/internal/cli"
)

func main() { os.Exit(cli.Main()) }
