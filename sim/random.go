package sim

// dice gives random numbers that depend only on the seed and on what they are for, never on how many were drawn before.
// So one shop with a fault and one without see the same noise, and a run can be repeated from any moment.
type dice uint64

// bits returns 64 well mixed bits for the given purpose (splitmix64 of Steele, Lea and Flood, 2014, chained).
func (d dice) bits(parts ...uint64) uint64 {
	x := uint64(d)
	for _, part := range parts {
		x += part*0x9e3779b97f4a7c15 + 0x9e3779b97f4a7c15
		x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
		x = (x ^ (x >> 27)) * 0x94d049bb133111eb
		x ^= x >> 31
	}
	return x
}

// uniform returns a number in [0, 1).
func (d dice) uniform(parts ...uint64) float64 { return float64(d.bits(parts...)>>11) / (1 << 53) }

// between returns a number in [low, high).
func (d dice) between(low, high float64, parts ...uint64) float64 {
	return low + (high-low)*d.uniform(parts...)
}

// pick returns an index below n.
func (d dice) pick(n int, parts ...uint64) int { return int(d.bits(parts...) % uint64(n)) }

// wobble returns a factor around 1 with a spread of roughly width, from -2 to 2 widths away.
func (d dice) wobble(width float64, parts ...uint64) float64 {
	x := d.bits(parts...)
	sum := float64(x&0xffff) + float64(x>>16&0xffff) + float64(x>>32&0xffff) + float64(x>>48)
	return 1 + width*(sum/0x8000-4)
}

// id turns a name into a part for the other methods (FNV-1a).
func id(name string) uint64 {
	sum := uint64(14695981039346656037)
	for i := range len(name) {
		sum = (sum ^ uint64(name[i])) * 1099511628211
	}
	return sum
}

// letters returns n characters as Kubernetes uses them in the names of pods: no vowels, no easily mistaken digits.
func (d dice) letters(n int, parts ...uint64) string {
	const alphabet = "bcdfghjklmnpqrstvwxz2456789"
	text := make([]byte, n)
	x := d.bits(parts...)
	for i := range text {
		text[i] = alphabet[x%uint64(len(alphabet))]
		x /= uint64(len(alphabet))
	}
	return string(text)
}
