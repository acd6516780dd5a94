// Command publish-certificate keeps a ConfigMap at the certificate that teams seal with.
// sealed-secrets tells it over HTTP, where it also takes work from whoever asks; so
// nobody else has to.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/logging"
	"github.com/bitcoin-operator/bitcoin-operator/operator/internal/version"
)

const name = "publish-certificate"

// options are the program's flags.
type options struct {
	from       string
	to         client.ObjectKey
	healthAddr string
	log        logging.Options
	version    bool
}

func main() {
	opts, err := parse(os.Args[1:])
	if errors.Is(err, pflag.ErrHelp) {
		return
	}
	if opts.version {
		fmt.Println(name, version.Get())
		return
	}
	if err == nil {
		logging.Set(logging.New(opts.log, os.Stderr))
		build := version.Get()
		ctrl.Log.Info("starting "+name, "version", build.Version, "revision", build.Revision, "go", build.Go)
		err = run(ctrl.SetupSignalHandler(), opts)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "publish-certificate:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var opts options
	flags := pflag.NewFlagSet(name, pflag.ContinueOnError)
	flags.StringVar(&opts.from, "from", "",
		"The URL where sealed-secrets serves the certificate of its newest key.")
	flags.StringVar(&opts.to.Namespace, "namespace", os.Getenv("RUNTIME_NAMESPACE"),
		"The namespace of the ConfigMap. Default: the environment variable RUNTIME_NAMESPACE.")
	flags.StringVar(&opts.to.Name, "to", "",
		"The name of the ConfigMap for the certificate; it must exist.")
	flags.StringVar(&opts.healthAddr, "health-addr", ":9440",
		"The address to serve health checks on, at every path: whether the published certificate is the right one.")
	opts.log.BindFlags(flags)
	flags.BoolVar(&opts.version, "version", false, "Print the version and exit.")
	if err := flags.Parse(args); err != nil || opts.version {
		return opts, err
	}
	if err := opts.log.Validate(); err != nil {
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
	publisher := &publisher{api: api, from: opts.from, to: opts.to, log: ctrl.Log}
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
