package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// simulation is a process whose simulated nodes listen on addresses of this machine.
type simulation struct {
	command *exec.Cmd
	stdin   io.Closer
	http    *http.Client
}

// rpcUser and rpcPassword are the credentials of all nodes.
const (
	rpcUser     = "alice"
	rpcPassword = "correct horse"
)

// requestTimeout is how long anything that the benchmark itself asks may take.
const requestTimeout = 30 * time.Second

// startSimulation starts the program, with a socket in a folder.
func startSimulation(ctx context.Context, program, folder string) (*simulation, error) {
	socket := filepath.Join(folder, "simulation.sock")
	s := &simulation{
		command: exec.Command(program, socket),
		http: &http.Client{Timeout: requestTimeout, Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", socket)
			},
		}},
	}
	s.command.Stderr = os.Stderr
	stdin, err := s.command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the simulation: %w", err)
	}
	s.stdin = stdin
	if err := s.command.Start(); err != nil {
		return nil, fmt.Errorf("start the simulation: %w", err)
	}
	return s, until(ctx, "the simulation listens", func() (bool, error) {
		_, err := s.traffic(ctx)
		return err == nil, nil
	})
}

func (s *simulation) stop() error {
	_ = s.stdin.Close() // at which it ends
	return s.command.Wait()
}

// node is one to start, as the simulation is told.
type node struct {
	Address  string `json:"address"`
	Name     string `json:"name"`
	Comment  string `json:"comment"`
	User     string `json:"user"`
	Password string `json:"password"`
}

func (s *simulation) start(ctx context.Context, address, name, comment string) error {
	return s.do(ctx, http.MethodPost, "/nodes", node{Address: address, Name: name, Comment: comment, User: rpcUser, Password: rpcPassword}, nil)
}

func (s *simulation) end(ctx context.Context, address string) error {
	return s.do(ctx, http.MethodDelete, "/nodes/"+address, nil, nil)
}

func (s *simulation) freeze(ctx context.Context, address string) error {
	return s.do(ctx, http.MethodPost, "/nodes/"+address+"/freeze", nil, nil)
}

// connectAdded has each node dial the names of its list, as bitcoind's own thread does
// within a minute.
func (s *simulation) connectAdded(ctx context.Context) error {
	return s.do(ctx, http.MethodPost, "/connect-added", nil, nil)
}

// traffic is what the nodes of a network were asked, and their links.
type traffic struct {
	Requests, Connections, Links int
	// Linked is when the last of the links was made.
	Linked time.Time
}

// traffic returns that of each network, by namespace and name with a dot between.
func (s *simulation) traffic(ctx context.Context) (map[string]traffic, error) {
	byNetwork := map[string]traffic{}
	err := s.do(ctx, http.MethodGet, "/traffic", nil, &byNetwork)
	return byNetwork, err
}

// peers returns when each peer of a node was connected last, by its comment.
func (s *simulation) peers(ctx context.Context, address string) (map[string]time.Time, error) {
	peers := map[string]time.Time{}
	err := s.do(ctx, http.MethodGet, "/nodes/"+address+"/peers", nil, &peers)
	return peers, err
}

func (s *simulation) do(ctx context.Context, method, path string, body, into any) error {
	content, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://simulation"+path, bytes.NewReader(content))
	if err != nil {
		return err
	}
	response, err := s.http.Do(request)
	if err != nil {
		return fmt.Errorf("tell the simulation: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("hear the simulation: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("tell the simulation %s %s: %s: %s", method, path, response.Status, bytes.TrimSpace(answer))
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}
