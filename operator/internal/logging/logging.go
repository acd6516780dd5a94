// Package logging makes the logger of the project's programs.
package logging

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/zapr"
	"github.com/spf13/pflag"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	ctrlzap "sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// Of lines with the same level, message and error, the first of each minute are written,
// and then one in so many: an error that repeats without an end fills no disk.
const (
	samplePeriod     = time.Minute
	sampleFirst      = 20
	sampleThereafter = 20
)

// traceLevel is that of logr's V(2).
const traceLevel = zapcore.DebugLevel - 1

var levels = map[string]zapcore.Level{
	"trace": traceLevel,
	"debug": zapcore.DebugLevel,
	"info":  zapcore.InfoLevel,
	"error": zapcore.ErrorLevel,
}

var encoders = map[string]func() zapcore.Encoder{
	"json": func() zapcore.Encoder {
		config := zap.NewProductionEncoderConfig()
		config.EncodeTime = zapcore.ISO8601TimeEncoder
		config.EncodeLevel = named(zapcore.LowercaseLevelEncoder, "trace")
		return zapcore.NewJSONEncoder(config)
	},
	"console": func() zapcore.Encoder {
		config := zap.NewDevelopmentEncoderConfig()
		config.EncodeTime = zapcore.ISO8601TimeEncoder
		config.EncodeLevel = named(zapcore.CapitalLevelEncoder, "TRACE")
		return zapcore.NewConsoleEncoder(config)
	},
}

// named gives a name to the level that zap has none for.
func named(encode zapcore.LevelEncoder, trace string) zapcore.LevelEncoder {
	return func(level zapcore.Level, to zapcore.PrimitiveArrayEncoder) {
		if level == traceLevel {
			to.AppendString(trace)
			return
		}
		encode(level, to)
	}
}

// Options are the flags of a logger.
type Options struct {
	level, encoding string
}

// BindFlags adds the flags to a set.
func (o *Options) BindFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.level, "log-level", "info", "The least severe level to log: trace, debug, info or error. Of lines with the same level, message and error, the first 20 per minute are written and then one in 20; at trace and debug, all are.")
	flags.StringVar(&o.encoding, "log-encoding", "json", "The format of the log: json or console.")
}

// Validate says which flag has a value that it cannot have.
func (o *Options) Validate() error {
	if _, known := levels[o.level]; !known {
		return fmt.Errorf("flag --log-level: %q is not known; known are %s", o.level, names(levels))
	}
	if _, known := encoders[o.encoding]; !known {
		return fmt.Errorf("flag --log-encoding: %q is not known; known are %s", o.encoding, names(encoders))
	}
	return nil
}

func names[V any](known map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(known)), ", ")
}

// New returns a logger that writes to out. The options must be valid. Who asks for debug
// or trace wants every line, and where errors come from.
func New(o Options, out io.Writer) logr.Logger {
	level := levels[o.level]
	sink := zapcore.Lock(zapcore.AddSync(out))
	// Of Kubernetes' objects the name is logged, not the content.
	core := zapcore.NewCore(&ctrlzap.KubeAwareEncoder{Encoder: encoders[o.encoding]()}, sink, level)
	stack := zapcore.ErrorLevel
	if level >= zapcore.InfoLevel {
		core = sampled{core, zapcore.NewSamplerWithOptions(core, samplePeriod, sampleFirst, sampleThereafter)}
		stack = zapcore.PanicLevel
	}
	return zapr.NewLogger(zap.New(core, zap.ErrorOutput(sink), zap.AddStacktrace(stack)))
}

// Set has controller-runtime and client-go log to a logger. It must be called before
// anything logs.
func Set(logger logr.Logger) {
	ctrl.SetLogger(logger)
	klog.SetLoggerWithOptions(logger.WithName("runtime"), klog.ContextualLogger(true))
}
