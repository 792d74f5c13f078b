package signal

import "encoding/binary"

// DealSpans divides spans into the messages that carry them: each trace is in one partition, and what is of one partition is
// divided further where it would not fit. The order within a partition is kept.
func DealSpans(batch SpanBatch, partitions int) []Dealt[Span] {
	return deal(batch.Spans, partitions, func(s *Span) int {
		return Partition(Fingerprint(binary.LittleEndian.Uint64(s.Trace[8:])), partitions)
	}, (*Span).Bytes)
}

// DealLogs divides log records into the messages that carry them: those of a resource share a partition.
func DealLogs(batch LogBatch, partitions int) []Dealt[LogRecord] {
	partition := Partition(batch.Resource.Fingerprint(), partitions)
	return deal(batch.Records, partitions, func(*LogRecord) int { return partition }, (*LogRecord).Bytes)
}

// Dealt is what one message carries, of one partition.
type Dealt[T any] struct {
	Partition int
	Items     []T
}

// deal divides items into messages, by partition and size.
func deal[T any](items []T, partitions int, of, size func(*T) int) []Dealt[T] {
	parts := make([][]T, partitions)
	for i := range items {
		p := of(&items[i])
		parts[p] = append(parts[p], items[i])
	}
	var dealt []Dealt[T]
	for partition, part := range parts {
		first, bytes := 0, 0
		for i := range part {
			n := size(&part[i])
			if i > first && bytes+n > messageSampleBytes {
				dealt = append(dealt, Dealt[T]{partition, part[first:i]})
				first, bytes = i, 0
			}
			bytes += n
		}
		if first < len(part) {
			dealt = append(dealt, Dealt[T]{partition, part[first:]})
		}
	}
	return dealt
}

// Bytes estimates from above the size of the log record in a message.
func (r *LogRecord) Bytes() int {
	return 64 + len(r.Level) + len(r.Event) + len(r.Body) + len(r.Scope) + labelBytes(r.Attributes)
}

// Bytes estimates from above the size of the span in a message.
func (s *Span) Bytes() int {
	size := 96 + len(s.Name) + len(s.Message) + len(s.State) + len(s.Scope) + labelBytes(s.Attributes)
	for i := range s.Events {
		size += 24 + len(s.Events[i].Name) + labelBytes(s.Events[i].Attributes)
	}
	for i := range s.Links {
		size += 32 + labelBytes(s.Links[i].Attributes)
	}
	return size
}

func labelBytes(labels Labels) int {
	size := 0
	for i := range labels {
		size += 8 + len(labels[i].Name) + len(labels[i].Value)
	}
	return size
}
