package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgress(t *testing.T) {
	const clear, noWrap, wrap = "\r\x1b[K", "\x1b[?7l", "\x1b[?7h"
	tests := map[string]struct {
		terminal bool
		want     []string
	}{
		"a log": {want: []string{
			"  … start: pods\n",
			"  … start: links\n",
			"✓ start: 3 nodes (8.0s)\n",
			"✗ check (0.0s)\n",
		}},
		"a terminal": {terminal: true, want: []string{
			clear + noWrap + "… start" + wrap,
			clear + noWrap + "… start (1s): images" + wrap,
			clear + noWrap + "… start (3s): pods" + wrap,
			clear + noWrap + "… start (7s): pods" + wrap,
			clear + noWrap + "… start (8s): links" + wrap,
			clear + noWrap + wrap + "✓ start: 3 nodes (8.0s)\n",
			clear + noWrap + "… check" + wrap,
			clear + noWrap + wrap + "✗ check (0.0s)\n",
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out strings.Builder
				p := newProgress(&out, test.terminal)
				p.begin("start")
				time.Sleep(time.Second)
				p.waiting("images") // too early for a log
				time.Sleep(2 * time.Second)
				p.waiting("pods")
				time.Sleep(4 * time.Second)
				p.waiting("pods") // nothing new
				time.Sleep(time.Second)
				p.waiting("links")
				p.done("3 nodes")
				p.begin("check")
				p.failed()
				if got, want := out.String(), strings.Join(test.want, ""); got != want {
					t.Errorf("got\n%q\nwant\n%q", got, want)
				}
			})
		})
	}
}
