package api

import (
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// metrics answers in JSON when that is asked for, in Prometheus' text otherwise.
func (s *server) metrics(core Core, w http.ResponseWriter, r *http.Request) error {
	accepted := acceptedOf(r, "text/plain", "application/openmetrics-text", "application/json")
	if !s.NoPrometheus && accepted != "application/json" {
		return s.metricsText(core, w, r)
	}
	families, err := s.gather(core)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, metricsOf(families))
	return nil
}

// metricsText answers in Prometheus' text form.
func (s *server) metricsText(core Core, w http.ResponseWriter, _ *http.Request) error {
	if s.NoPrometheus {
		return errNoPrometheus
	}
	families, err := s.gather(core)
	if err != nil {
		return err
	}
	format := expfmt.NewFormat(expfmt.TypeTextPlain)
	w.Header().Set("Content-Type", string(format))
	encoder := expfmt.NewEncoder(w, format)
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			s.Log.Warn("writing metrics failed", "metric", family.GetName(), "error", err)
			return nil // the answer has begun
		}
	}
	return nil
}

// gather joins the numbers of the core's snapshot with those of other parts.
func (s *server) gather(core Core) ([]*dto.MetricFamily, error) {
	registry := prometheus.NewRegistry()
	c := &collector{
		snapshot: core.Snapshot(), clients: s.Events.Clients(), slow: s.Events.SlowClients(), others: append(s.Metrics(), s.admissions.metrics(s.Admit)...),
		prefix: s.MetricsPrefix,
	}
	if err := registry.Register(c); err != nil {
		return nil, err
	}
	return registry.Gather()
}

// metricsBody is the JSON form. A metric's labels are part of its name.
type metricsBody struct {
	Version    string                    `json:"version"`
	Counters   map[string]metricsCount   `json:"counters"`
	Gauges     map[string]metricsValue   `json:"gauges"`
	Histograms map[string]metricsSummary `json:"histograms"`
	// Meters and Timers are kinds that only Marathon's own registry had.
	Meters map[string]struct{} `json:"meters"`
	Timers map[string]struct{} `json:"timers"`
}

type metricsCount struct {
	Count float64 `json:"count"`
}

type metricsValue struct {
	Value float64 `json:"value"`
}

// metricsSummary is what a histogram of buckets can say for sure.
type metricsSummary struct {
	Count uint64  `json:"count"`
	Mean  float64 `json:"mean"`
}

// metricsOf sorts metrics by their kind. An untyped one is shown as a gauge.
func metricsOf(families []*dto.MetricFamily) metricsBody {
	body := metricsBody{
		Version: "4.0.0", Counters: map[string]metricsCount{}, Gauges: map[string]metricsValue{},
		Histograms: map[string]metricsSummary{}, Meters: map[string]struct{}{}, Timers: map[string]struct{}{},
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			name := metricName(family.GetName(), m)
			switch {
			case m.Counter != nil:
				body.Counters[name] = metricsCount{m.Counter.GetValue()}
			case m.Gauge != nil:
				body.Gauges[name] = metricsValue{m.Gauge.GetValue()}
			case m.Untyped != nil:
				body.Gauges[name] = metricsValue{m.Untyped.GetValue()}
			case m.Histogram != nil:
				body.Histograms[name] = summaryOf(m.Histogram.GetSampleCount(), m.Histogram.GetSampleSum())
			case m.Summary != nil:
				body.Histograms[name] = summaryOf(m.Summary.GetSampleCount(), m.Summary.GetSampleSum())
			}
		}
	}
	return body
}

func summaryOf(count uint64, sum float64) metricsSummary {
	if count == 0 {
		return metricsSummary{}
	}
	return metricsSummary{Count: count, Mean: sum / float64(count)}
}

func metricName(name string, m *dto.Metric) string {
	var b strings.Builder
	b.WriteString(name)
	for _, label := range m.GetLabel() {
		b.WriteString("." + label.GetName() + "." + label.GetValue())
	}
	return b.String()
}
