// Package bus carries signals from the receivers to the engines over NATS JetStream: embedded in this process, without a
// listener, or on a cluster.
//
// A receiver publishes batch records; one consumer a stream (or a set of its partitions) takes them in order:
//
//	sequence, err := b.Publish(ctx, bus.AlertSubject("main", 0), record)
//	err = b.Consume(ctx, bus.SignalStream, []string{bus.AlertSubjects("main")}, position, 64, handle)
//
// # What it guarantees
//
//   - Durability. Publish returns after the message is fsynced. What was acknowledged survives kill -9 and power failure.
//     Of TelemetryStream it returns after the message is written: it survives kill -9, and of what came in the last second
//     before a power failure some may be lost.
//   - Order. Messages have sequences from 1, without gaps as long as nothing is purged. Calls of PublishAsync by one
//     goroutine are stored in the order of the calls; after one of them failed, later ones may have been stored.
//   - Exactly once is the consumer's part: it stores the sequence it has reached in the same SQL transaction as the effects
//     and passes it to Consume at the next start. Consume hands over each message behind that position once, in order, and
//     never skips one: a lost delivery, a restart of the server or of the cluster makes it continue behind the last message
//     that was handed over.
//   - Back-pressure. A stream that holds its limit of bytes refuses new messages (ErrFull) and never drops old ones; Purge
//     makes room behind the consumers. At most MaxInFlight messages wait for their acknowledgement, then PublishAsync blocks
//     until there is room or its context ends. A slow handler costs no memory: Consume fetches the next batch only after the
//     handler returned.
//   - Trouble with the disk. When a write fails (full, read-only, broken), what waits and what follows gets ErrUnavailable
//     at once; such a message may or may not have been stored, as with any error but ErrFull and ErrTooLarge, so senders
//     repeat it and consumers must take a repeat well. JetStream never writes to a stream again after such an error, so the
//     bus probes the disk four times a second and starts the server anew as soon as writing works. Nothing that was
//     acknowledged is lost by that, and consumers go on by themselves.
//   - One stream each. A Bus carries SignalStream or TelemetryStream, because the server syncs all its streams alike.
//   - One process. A lock file keeps a second process out of the embedded server's folder.
//
// # What it leaves out
//
// No fan-out in memory, no request and reply, no durable consumers: positions live with the effects, in SQL.
package bus
