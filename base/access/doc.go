// Package access knows who may do what: users, teams, roles, sessions, API tokens and one-time links, and where a request
// comes from.
//
//	d, err := access.New(ctx, db, access.DefaultConfig(), logger)
//	login, err := d.Login(ctx, "ann", password, peer)    // login.Secret goes into a cookie
//	id, err := d.BySession(ctx, login.Secret)            // at each request
//	ctx = access.With(ctx, id)                           // and then, anywhere
//	who := access.Actor(ctx)                             // for the audit log
//
// A person holds grants: a role, everywhere or in some teams. A route names the roles that may call it (Rule); a request may
// use it if a grant has one of them, and then sees what the teams of these grants see (Scope). An API token never may more
// than its owner may at that moment.
//
// # What it guarantees
//
//   - Secrets are shown once and stored as hashes: passwords as argon2id, sessions, tokens and links, which are random and
//     long, as SHA-256. A copy of the database lets nobody in.
//   - Revoking works at the next request: each request reads its session or token from the database.
//   - A login takes as long for an unknown name as for a known one, and is answered with the same words.
//   - Guessing is slowed down for each name and each address, with bounded memory, without locking a person out of the
//     addresses that they have logged in from; see Throttle.
//   - Every change leaves an audit leaf in the same transaction, without secrets. Failed logins are counted, not kept.
//
// Its times are the wall's even when the server runs on event time: a replayed year must not end a person's session.
//
// It leaves out what a route is and how a request is answered; that is app's and web's.
package access
