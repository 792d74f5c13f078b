package k8sevents

import "strings"

// suffixes are the characters that Kubernetes makes random names and hashes of: no vowels, nothing that looks alike.
const suffixes = "bcdfghjklmnpqrstvwxz2456789"

// Bounds of generated parts of names: that of a pod has 5 characters, the hash of a ReplicaSet up to 10, the minute of a CronJob's
// Job 8 digits.
const (
	podSuffix  = 5
	hashMost   = 10
	hashLeast  = 6
	cronDigits = 8
)

// workload returns the name of what an object belongs to, without the parts of names that Kubernetes makes: the deployment
// of a pod, the CronJob of a Job. Owners tell, if the exporter names them; else the form of the name does. A name that only looks
// as if it had such a part loses it: "api-vhost" stays, "api-gpt2x" becomes "api".
func workload(o *object) string {
	kind, name := o.Kind, o.Name
	if kind == "Pod" {
		if len(o.Owners) == 0 {
			return ofPod(name)
		}
		kind, name = o.Owners[0].Kind, o.Owners[0].Name
	}
	switch kind {
	case "ReplicaSet":
		if base, hash, found := cutLast(name); found && random(hash, hashLeast, hashMost) {
			return base
		}
	case "Job":
		if base, minute, found := cutLast(name); found && digits(minute, cronDigits) {
			return base
		}
	}
	return name
}

// ofPod returns the workload of a pod by the form of its name.
func ofPod(name string) string {
	base, last, found := cutLast(name)
	switch {
	case !found:
		return name
	case digits(last, 1): // a StatefulSet's
		return base
	case !random(last, podSuffix, podSuffix):
		return name
	}
	if owner, part, found := cutLast(base); found && (random(part, hashLeast, hashMost) || digits(part, cronDigits)) {
		return owner
	}
	return base
}

func cutLast(name string) (before, last string, found bool) {
	at := strings.LastIndexByte(name, '-')
	if at <= 0 || at == len(name)-1 {
		return name, "", false
	}
	return name[:at], name[at+1:], true
}

// random reports whether text looks generated: between least and most of the characters of suffixes.
func random(text string, least, most int) bool {
	return len(text) >= least && len(text) <= most && strings.Trim(text, suffixes) == ""
}

// digits reports whether text is at least least digits.
func digits(text string, least int) bool {
	return len(text) >= least && strings.Trim(text, "0123456789") == ""
}
