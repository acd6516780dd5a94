// Command bitcoind-start is the entry point of nodes. It lets the credentials of its
// environment into bitcoind's configuration, in a form that does not tell the password,
// and becomes bitcoind. With "install FILE" it copies itself there instead, for a
// container of another image to start with.
package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/bitcoind"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bitcoind-start:", err)
		os.Exit(1)
	}
}

// run goes by the arguments. bitcoind itself takes options, and no words.
func run(args []string) error {
	if len(args) == 2 && args[0] == bitcoind.InstallCommand {
		return install(args[1])
	}
	return start(args)
}

// install copies this program to a file, which is whole or not there.
func install(file string) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	content, err := os.ReadFile(program)
	if err != nil {
		return fmt.Errorf("read this program: %w", err)
	}
	unfinished := file + ".new"
	if err := os.WriteFile(unfinished, content, 0o755); err != nil {
		return fmt.Errorf("copy this program: %w", err)
	}
	if err := os.Rename(unfinished, file); err != nil {
		return fmt.Errorf("put this program in its place: %w", err)
	}
	return nil
}

func start(args []string) error {
	program, err := exec.LookPath("bitcoind")
	if err != nil {
		return fmt.Errorf("the image has no bitcoind on its PATH: %w", err)
	}
	// Kubernetes sets this in every pod.
	_, inPod := os.LookupEnv("KUBERNETES_SERVICE_HOST")
	auth, err := authLines(os.Getenv, inPod, os.Stderr)
	if err != nil {
		return err
	}
	if auth != "" {
		if err := os.WriteFile(bitcoind.AuthFile, []byte(auth), 0o600); err != nil {
			return fmt.Errorf("write the credentials' hash: %w", err)
		}
	}
	if err := syscall.Exec(program, append([]string{"bitcoind"}, args...), withoutCredentials(os.Environ())); err != nil {
		return fmt.Errorf("execute %s: %w", program, err)
	}
	return nil
}

// authLines returns what to put into bitcoind's configuration for the
// credentials of the environment: a line for each pair. Without any it returns nothing, and the
// image's own configuration stands; but in a pod that is an error, since a node
// that anybody could talk to must not come up by mistake.
func authLines(getenv func(string) string, inPod bool, warnings io.Writer) (string, error) {
	if getenv(bitcoind.UserKey) == "" && getenv(bitcoind.PasswordKey) == "" && !inPod {
		return "", nil
	}
	accepted, err := bitcoind.CredentialsFrom(getenv)
	if err != nil {
		return "", err
	}
	var lines strings.Builder
	writeAuth(&lines, accepted)
	isLimited := false
	for _, user := range bitcoind.UsersOf(getenv(bitcoind.WhitelistsVariable)) {
		accepted, err := bitcoind.UserCredentials(getenv, user.Name)
		if err != nil { // which keeps nobody else out
			fmt.Fprintf(warnings, "bitcoind-start: user %s: %s\n", user.Name, err)
		}
		if len(accepted) == 0 {
			continue
		}
		isLimited = true
		fmt.Fprintln(&lines, user.RPCWhitelist())
		writeAuth(&lines, accepted)
	}
	if isLimited {
		fmt.Fprintln(&lines, bitcoind.RPCWhitelistDefault)
	}
	return lines.String(), nil
}

func writeAuth(lines io.Writer, accepted []bitcoind.Credentials) {
	for _, credentials := range accepted {
		fmt.Fprintln(lines, bitcoind.RPCAuth(credentials, rand.Text()))
	}
}

// withoutCredentials returns the environment less the credentials, which bitcoind
// has no use for and whoever can read its environment should not see.
func withoutCredentials(environ []string) []string {
	var kept []string
	for _, variable := range environ {
		if !strings.HasPrefix(variable, "BC_RPC_") {
			kept = append(kept, variable)
		}
	}
	return kept
}
