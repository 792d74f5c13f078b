package access

// OIDC lets people log in through a provider.
type OIDC struct{}
