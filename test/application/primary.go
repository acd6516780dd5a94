package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// fresh opens a connection for each question, and so meets the node that the primary leads
// to now.
var fresh = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * time.Second}

// watchPrimary asks the primary for its tip, several times a second, until ctx ends.
func watchPrimary(ctx context.Context, config Config, journal *Journal) {
	for sleep(ctx, 200*time.Millisecond) {
		asked := time.Now()
		tip, err := askTip(ctx, config)
		if ctx.Err() != nil {
			return
		}
		journal.Do(func(_ *Ledger, offers *Offers) {
			if err != nil {
				offers.Failed(asked)
			} else {
				offers.Answered(tip, asked, time.Now())
			}
		})
	}
}

func askTip(ctx context.Context, config Config) (Block, error) {
	password, err := config.password()
	if err != nil {
		return Block{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+config.RPC+"/", strings.NewReader(`{"method": "getblockchaininfo"}`))
	if err != nil {
		return Block{}, err
	}
	request.SetBasicAuth(config.User, password)
	response, err := fresh.Do(request)
	if err != nil {
		return Block{}, err
	}
	defer response.Body.Close()
	var answer struct {
		Result struct {
			Blocks        int32  `json:"blocks"`
			BestBlockHash string `json:"bestblockhash"`
		} `json:"result"`
	}
	if response.StatusCode != http.StatusOK {
		return Block{}, errors.New(response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return Block{}, fmt.Errorf("read the tip: %w", err)
	}
	return Block{answer.Result.Blocks, answer.Result.BestBlockHash}, nil
}
