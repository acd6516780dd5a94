// Command publish-certificate keeps a ConfigMap at the certificate that teams seal with.
// sealed-secrets tells it over HTTP, where it also takes work from whoever asks; so
// nobody else has to.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// options are the program's flags.
type options struct {
	from       string
	to         client.ObjectKey
	healthAddr string
}

func main() {
	opts, err := parse(os.Args[1:])
	if errors.Is(err, pflag.ErrHelp) {
		return
	}
	if err == nil {
		err = run(ctrl.SetupSignalHandler(), opts)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "publish-certificate:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var opts options
	flags := pflag.NewFlagSet("publish-certificate", pflag.ContinueOnError)
	flags.StringVar(&opts.from, "from", "",
		"The URL where sealed-secrets tells the certificate of its newest key.")
	flags.StringVar(&opts.to.Namespace, "namespace", os.Getenv("RUNTIME_NAMESPACE"),
		"The namespace of the ConfigMap. Default: the environment variable RUNTIME_NAMESPACE.")
	flags.StringVar(&opts.to.Name, "to", "",
		"The name of the ConfigMap, which must be there, for the certificate.")
	flags.StringVar(&opts.healthAddr, "health-addr", ":9440",
		"The address to tell on, at every path, whether what is published is right.")
	if err := flags.Parse(args); err != nil {
		return opts, err
	}
	for _, flag := range []string{"from", "namespace", "to"} {
		if flags.Lookup(flag).Value.String() == "" {
			return opts, fmt.Errorf("flag --%s must be set", flag)
		}
	}
	return opts, nil
}

func run(ctx context.Context, opts options) error {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		return fmt.Errorf("make the scheme: %w", err)
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("find the API server: %w", err)
	}
	api, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return fmt.Errorf("make a client for the API server: %w", err)
	}
	publisher := &publisher{api: api, from: opts.from, to: opts.to, log: slog.New(slog.NewJSONHandler(os.Stderr, nil))}
	server := &http.Server{Addr: opts.healthAddr, Handler: publisher, ReadTimeout: time.Second, WriteTimeout: time.Second}

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve health checks: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		publisher.run(ctx)
		return server.Close()
	})
	return group.Wait()
}
