import OTLP
import SwiftProtobuf
import Testing

@testable import OTLPExporter

@Suite struct PrometheusNameTests {
  @Test(arguments: [
    ("process.cpu.time", "s", PrometheusName.Kind.counter, "process_cpu_time_seconds_total"),
    ("process.memory.usage", "By", .gauge, "process_memory_usage_bytes"),
    ("system.network.io", "By", .counter, "system_network_io_bytes_total"),
    ("process.linux.syscall.count", "{call}", .counter, "process_linux_syscall_count_total"),
    ("disk.usage", "1", .gauge, "disk_usage_ratio"), ("hits", "1", .counter, "hits_total"),
    ("already.seconds", "s", .histogram, "already_seconds"),
    ("requests_total", "", .counter, "requests_total"),
    ("rate", "By/s", .gauge, "rate_bytes_per_second"),
    ("rate", "{request}/s", .gauge, "rate_per_second"), ("a..b--c", "", .gauge, "a_b_c"),
    ("9lives", "", .gauge, "_9lives"), ("größe", "", .gauge, "gr_e"), ("", "", .gauge, "_"),
    ("a:b", "", .gauge, "a:b"), ("x", "foo.bar", .gauge, "x_foo_bar"),
    ("t", "%", .gauge, "t_percent"),
  ])
  func `names get their unit and kind`(
    name: String, unit: String, kind: PrometheusName.Kind, expected: String
  ) {
    #expect(PrometheusName.metric(name, unit: unit, kind: kind) == expected)
  }

  @Test(arguments: [
    ("network.io.direction", "network_io_direction"), ("a:b", "a_b"), ("__name__", "_name_"),
    ("1st", "_1st"), ("", "_"), ("\"}\n", "_"),
  ])
  func `labels are names`(key: String, expected: String) {
    #expect(PrometheusName.label(key) == expected)
  }
}

@Suite struct PrometheusTextTests {
  typealias Metric = Opentelemetry_Proto_Metrics_V1_Metric
  typealias Request = Opentelemetry_Proto_Collector_Metrics_V1_ExportMetricsServiceRequest
  typealias Attribute = Opentelemetry_Proto_Common_V1_KeyValue

  private func attribute(_ key: String, _ value: String) -> Attribute {
    .with {
      $0.key = key
      $0.value.stringValue = value
    }
  }

  private func request(_ metrics: [Metric], resources: [[Attribute]] = [[]]) -> Request {
    .with { request in
      request.resourceMetrics = resources.map { attributes in
        .with {
          $0.resource.attributes = attributes
          $0.scopeMetrics = [.with { $0.metrics = metrics }]
        }
      }
    }
  }

  private func counter(_ name: String, _ value: Int64, _ attributes: [Attribute] = []) -> Metric {
    .with {
      $0.name = name
      $0.sum.isMonotonic = true
      $0.sum.aggregationTemporality = .cumulative
      $0.sum.dataPoints = [
        .with {
          $0.asInt = value
          $0.attributes = attributes
        }
      ]
    }
  }

  @Test func `counters and gauges are lines with labels, escaped`() {
    var metric = counter("calls", 3, [attribute("path", "a\\b\"c\nd"), attribute("a.b", "1")])
    metric.description_p = "how\nmany\\"
    let gauge = Metric.with {
      $0.name = "temperature"
      $0.unit = "Cel"
      $0.gauge.dataPoints = [
        .with { $0.asDouble = .nan },
        .with {
          $0.asDouble = -.infinity; $0.attributes = [attribute("x", "1")]
        },
        .with {
          $0.asDouble = 0.5; $0.attributes = [attribute("x", "2")]
        },
      ]
    }
    let (text, skipped) = PrometheusText.page(request([metric, gauge]))
    #expect(
      text == #"""
        # HELP calls_total how\nmany\\
        # TYPE calls_total counter
        calls_total{a_b="1",path="a\\b\"c\nd"} 3
        # TYPE temperature_celsius gauge
        temperature_celsius NaN
        temperature_celsius{x="1"} -Inf
        temperature_celsius{x="2"} 0.5

        """#)
    #expect(skipped == 0)
  }

  @Test func `histograms are cumulative buckets`() {
    let metric = Metric.with {
      $0.name = "latency"
      $0.unit = "s"
      $0.histogram.aggregationTemporality = .cumulative
      $0.histogram.dataPoints = [
        .with {
          $0.explicitBounds = [0.1, 1]
          $0.bucketCounts = [1, 2, 3]
          $0.count = 6
          $0.sum = 7.5
        }
      ]
    }
    #expect(
      PrometheusText.page(request([metric])).text == """
        # TYPE latency_seconds histogram
        latency_seconds_bucket{le="0.1"} 1
        latency_seconds_bucket{le="1.0"} 3
        latency_seconds_bucket{le="+Inf"} 6
        latency_seconds_sum 7.5
        latency_seconds_count 6

        """)
  }

  @Test func `exponential histograms become buckets with the powers as bounds`() {
    let metric = Metric.with {
      $0.name = "latency"
      $0.exponentialHistogram.aggregationTemporality = .cumulative
      $0.exponentialHistogram.dataPoints = [
        .with {
          $0.scale = 0
          $0.zeroCount = 1
          $0.positive.offset = -1
          $0.positive.bucketCounts = [2, 0, 3]
          $0.negative.offset = 1
          $0.negative.bucketCounts = [4]
          $0.count = 10
        }
      ]
    }
    #expect(
      PrometheusText.page(request([metric])).text == """
        # TYPE latency histogram
        latency_bucket{le="-2.0"} 4
        latency_bucket{le="0.0"} 5
        latency_bucket{le="1.0"} 7
        latency_bucket{le="2.0"} 7
        latency_bucket{le="4.0"} 10
        latency_bucket{le="+Inf"} 10
        latency_count 10

        """)
  }

  @Test(arguments: [
    (0, 10, 1024.0), (1, 1, 2.0.squareRoot()), (3, 8, 2.0), (-1, 3, 64.0), (20, 1 << 20, 2.0),
    (0, 5000, .infinity), (0, -5000, 0.0), (3, -8, 0.5), (2, 1, 2.0.squareRoot().squareRoot()),
  ])
  func `bounds are powers of two to fractions`(scale: Int, index: Int, expected: Double) {
    let bound = ExponentialBuckets.power(scale: Int32(scale), index)
    #expect(abs(bound - expected) <= expected.ulp * 2 || bound == expected)
  }

  @Test func `what all resources share is target_info, what differs tells series apart`() {
    let resources = [
      [attribute("host.name", "h"), attribute("container.id", "a")],
      [attribute("host.name", "h"), attribute("container.id", "b")],
    ]
    #expect(
      PrometheusText.page(request([counter("calls", 1)], resources: resources)).text == """
        # HELP target_info Target metadata
        # TYPE target_info gauge
        target_info{host_name="h"} 1
        # TYPE calls_total counter
        calls_total{container_id="a"} 1
        calls_total{container_id="b"} 1

        """)
  }

  @Test func `what a page cannot show is left out and counted`() {
    var delta = counter("delta", 1)
    delta.sum.aggregationTemporality = .delta
    let gauge = Metric.with {
      $0.name = "calls_total"
      $0.gauge.dataPoints = [.with { $0.asInt = 1 }]
    }
    let (text, skipped) = PrometheusText.page(
      request([delta, counter("calls", 1), counter("calls", 2), gauge]))
    #expect(text == "# TYPE calls_total counter\ncalls_total 1\n")
    #expect(skipped == 3)
  }

  @Test func `keys that become one name share it`() {
    let metric = counter("calls", 1, [attribute("a_b", "2"), attribute("a.b", "1")])
    #expect(
      PrometheusText.page(request([metric])).text.hasSuffix(#"calls_total{a_b="1;2"} 1"# + "\n"))
  }
}
