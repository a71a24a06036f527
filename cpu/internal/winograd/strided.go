package winograd

// The portable transforms for filters of stride 2; gen says how they are derived. Their
// factors are, for the points a, -a, b and -b in turn, one of the even phase and one of the
// odd, then one at infinity.
var (
	goStridedInput = linear{9, 9, func(d line) line {
		even, odd := goFinite(d[0], d[2], d[4], d[6]), goFinite(d[1], d[3], d[5], d[7])
		return line{even[0], odd[0], even[1], odd[1], even[2], odd[2], even[3], odd[3], goInfinite(d[0], d[4], d[8])}
	}}
	goStridedWeight = linear{3, 9, func(g line) line {
		m, n, o1, o2 := -g1*g[0], g1*g[0], -g1*g[1], g1*g[1]
		return line{m - g2*g[2], o1, m + g2*g[2], o1, n + g0*g[2], o2, n - g0*g[2], o2, g[2]}
	}}
	goStridedSpread = linear{4, 5, func(d line) line {
		e12, o12, e34, o34 := d[1]+a*a*d[3], b*d[0]+a*d[2], d[1]+b*b*d[3], a*d[0]+b*d[2]
		return line{e12 + o12, e12 - o12, e34 + o34, e34 - o34, d[3]}
	}}
	goStridedOutput = linear{5, 4, func(m line) line {
		y := goResults(m[0], m[1], m[2], m[3])
		return line{y[0], y[1], y[2], y[3] + m[4]}
	}}
	goStridedGradient = linear{9, 3, func(m line) line {
		return line{
			g1 * (m[4] + m[6] - m[0] - m[2]),
			g1 * (m[5] + m[7] - m[1] - m[3]),
			g0*(m[4]-m[6]) - g2*(m[0]-m[2]) + m[8],
		}
	}}
	goTurnedInput = linear{5, 5, func(d line) line {
		v := goFinite(d[0], d[1], d[2], d[3])
		return line{v[0], v[1], v[2], v[3], goInfinite(d[0], d[2], d[4])}
	}}
	goTurnedOutput = linear{9, 8, func(m line) line {
		even, odd := goResults(m[0], m[2], m[4], m[6]), goResults(m[1], m[3], m[5], m[7])
		return line{odd[0], even[0], odd[1], even[1], odd[2], even[2], odd[3], even[3] + m[8]}
	}}
)

// goFinite are the factors of four places at a, -a, b and -b.
func goFinite(z0, z1, z2, z3 float32) [4]float32 {
	e12, o12, e34, o34 := z3-b*b*z1, a*z2-b*z0, z3-a*a*z1, b*z2-a*z0
	return [4]float32{e12 + o12, e12 - o12, e34 + o34, e34 - o34}
}

// goInfinite is the factor of five places, of which it needs three, at infinity.
func goInfinite(z0, z2, z4 float32) float32 { return z0 - (a*a+b*b)*z2 + z4 }

// goResults are four results of the products at a, -a, b and -b.
func goResults(m1, m2, m3, m4 float32) [4]float32 {
	s12, x12, s34, x34 := m1+m2, m1-m2, m3+m4, m3-m4
	return [4]float32{b*x12 + a*x34, s12 + s34, a*x12 + b*x34, a*a*s12 + b*b*s34}
}
