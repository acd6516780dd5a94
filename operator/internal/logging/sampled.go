package logging

import "go.uber.org/zap/zapcore"

// sampled leaves out lines that repeat. zap's own sampler goes by level and message, and
// whatever a reconcile comes to grief over, controller-runtime's message is the same: one
// network that fails without an end would hide what is wrong with another.
type sampled struct {
	zapcore.Core
	sampler zapcore.Core
}

// With returns one that counts with this one.
func (s sampled) With(fields []zapcore.Field) zapcore.Core {
	return sampled{s.Core.With(fields), s.sampler}
}

// Check lets all lines through that are severe enough: what they tell comes later.
func (s sampled) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if s.Enabled(entry.Level) {
		return checked.AddCore(entry, s)
	}
	return checked
}

// Write writes a line, or leaves it out.
func (s sampled) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	counted := entry
	counted.Message += errorOf(fields)
	if s.sampler.Check(counted, nil) == nil {
		return nil
	}
	return s.Core.Write(entry, fields)
}

// errorOf returns the text of a line's error; none if it has none.
func errorOf(fields []zapcore.Field) string {
	for _, field := range fields {
		if err, ok := field.Interface.(error); ok && field.Type == zapcore.ErrorType {
			return ": " + err.Error()
		}
	}
	return ""
}
