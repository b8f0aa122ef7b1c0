/* One round of the filter for the motor of pump_model.py: predict over each device's own dt, fold three sensors in one
 * at a time with masks, gate, Joseph form and NIS. One array per component, the inner loop over devices.
 * Compiled by limit.py when it runs; the same equations as twin/estimation, to rounding. dt must not exceed max_dt_s,
 * and who is to be re-initialised is told, not done. */

#include <math.h>
#include <stdint.h>

#define INERTIA 0.5
#define DRAG 2e-3
#define COOLING (1.0 / 300.0)
#define HEATING 2e-5
#define VIBRATION 1e-4
#define TORQUE_TAU 600.0

#define TILE 64

static const double RATE[4] = {0.05, 1e-3, 1e-9, 1e-3};
static const double NOISE[3] = {0.25, 0.04, 1e-4};

/* rows of `out`: x 4, P 10, expected 3, nu 3, S 3, ratio 3, white 3, nis 1 */
void filter_round(const int64_t n, const double *restrict x, const double *restrict P, const double *restrict u,
                  const double *restrict dt, const double *restrict z, const uint8_t *restrict observed,
                  const int64_t *restrict rejected, const double gate, const int64_t patience, double *restrict out,
                  int64_t *restrict seen, uint8_t *restrict accepted, int64_t *restrict counted,
                  uint8_t *restrict again, uint8_t *restrict diverged)
{
    for (int64_t from = 0; from < n; from += TILE) {
    /* masks and counts as doubles: with bytes in it the main loop would be vectorised 64 wide and spill */
    double mask[3][TILE], used[3][TILE], present[TILE], bad[TILE];
    const int64_t m = n - from < TILE ? n - from : TILE;
    for (int s = 0; s < 3; s++)
        for (int64_t j = 0; j < m; j++) mask[s][j] = observed[s * n + from + j];
#pragma GCC ivdep
    for (int64_t j = 0; j < m; j++) {
        const int64_t i = from + j;
        const double h = dt[i], w0 = x[i], T0 = x[n + i], wear = x[2 * n + i], load = x[3 * n + i];
        const double heat = HEATING * h * w0, decay = 1.0 - h * (1.0 / TORQUE_TAU), cool = 1.0 - COOLING * h;
        const double w = w0 + h * (u[i] - load - DRAG * w0 * fabs(w0)) / INERTIA;
        const double T = T0 + h * (HEATING * (1.0 + wear) * w0 * w0 - COOLING * T0);
        const double l = load * decay;
        const double a = 1.0 - (2.0 * DRAG / INERTIA) * h * fabs(w0), b = -h / INERTIA;
        const double c = 2.0 * heat * (1.0 + wear), d = heat * w0;
        const double q00 = P[i], q10 = P[n + i], q11 = P[2 * n + i], q20 = P[3 * n + i], q21 = P[4 * n + i];
        const double q22 = P[5 * n + i], q30 = P[6 * n + i], q31 = P[7 * n + i], q32 = P[8 * n + i], q33 = P[9 * n + i];
        /* rows of F P: speed, temperature, load; wear stays */
        const double s0 = a * q00 + b * q30, s1 = a * q10 + b * q31, s2 = a * q20 + b * q32, s3 = a * q30 + b * q33;
        const double t0 = c * q00 + cool * q10 + d * q20, t1 = c * q10 + cool * q11 + d * q21;
        const double t2 = c * q20 + cool * q21 + d * q22, t3 = c * q30 + cool * q31 + d * q32;
        double p00 = s0 * a + s3 * b + RATE[0] * h;
        double p10 = t0 * a + t3 * b, p11 = t0 * c + t1 * cool + t2 * d + RATE[1] * h;
        double p20 = s2, p21 = t2, p22 = q22 + RATE[2] * h;
        double p30 = s3 * decay, p31 = t3 * decay, p32 = q32 * decay, p33 = q33 * decay * decay + RATE[3] * h;

        const double g = VIBRATION * (1.0 + 10.0 * wear), k = 10.0 * VIBRATION * w;
        const double e0 = w, e1 = T, e2 = g * w;
        const double z0 = z[i], z1 = z[n + i], z2 = z[2 * n + i];
        const double m0 = fabs(z0) < INFINITY ? mask[0][j] : 0.0;
        const double m1 = fabs(z1) < INFINITY ? mask[1][j] : 0.0;
        const double m2 = fabs(z2) < INFINITY ? mask[2][j] : 0.0;
        const double n0 = m0 > 0.0 ? z0 - e0 : 0.0, n1 = m1 > 0.0 ? z1 - e1 : 0.0, n2 = m2 > 0.0 ? z2 - e2 : 0.0;
        const double S0 = NOISE[0] + p00, S1 = NOISE[1] + p11;
        const double S2 = NOISE[2] + g * g * p00 + 2.0 * g * k * p20 + k * k * p22;
        const double r0 = n0 * n0 / S0, r1 = n1 * n1 / S1, r2 = n2 * n2 / S2;
        const double c0 = r0 <= gate ? m0 : 0.0, c1 = r1 <= gate ? m1 : 0.0, c2 = r2 <= gate ? m2 : 0.0;
        double nis;

        /* speed alone: its own row is scaled, without a difference */
        const double i0 = 1.0 / sqrt(S0), u0 = c0 * i0, w_0 = n0 * i0 * m0;
        const double rest0 = (NOISE[0] + p00 * (1.0 - c0)) * i0 * i0;
        const double a0 = p00 * u0, a1 = p10 * u0, a2 = p20 * u0, a3 = p30 * u0;
        double d0 = a0 * u0 * n0, d1 = a1 * u0 * n0, d2 = a2 * u0 * n0, d3 = a3 * u0 * n0;
        p00 *= rest0; p10 *= rest0; p20 *= rest0; p30 *= rest0;
        p11 -= a1 * a1; p21 -= a2 * a1; p22 -= a2 * a2; p31 -= a3 * a1; p32 -= a3 * a2; p33 -= a3 * a3;
        nis = w_0 * w_0;

        const double i1 = 1.0 / sqrt(NOISE[1] + p11), u1 = c1 * i1, left1 = n1 - d1, w_1 = left1 * i1 * m1;
        const double rest1 = (NOISE[1] + p11 * (1.0 - c1)) * i1 * i1;
        const double b0 = p10 * u1, b1 = p11 * u1, b2 = p21 * u1, b3 = p31 * u1;
        d0 += b0 * u1 * left1; d1 += b1 * u1 * left1; d2 += b2 * u1 * left1; d3 += b3 * u1 * left1;
        p11 *= rest1; p10 *= rest1; p21 *= rest1; p31 *= rest1;
        p00 -= b0 * b0; p20 -= b2 * b0; p22 -= b2 * b2; p30 -= b3 * b0; p32 -= b3 * b2; p33 -= b3 * b3;
        nis += w_1 * w_1;

        /* vibration sees speed and wear: Joseph form from the rounded difference */
        const double y0 = g * p00 + k * p20, y1 = g * p10 + k * p21, y2 = g * p20 + k * p22, y3 = g * p30 + k * p32;
        const double i2 = 1.0 / sqrt(NOISE[2] + g * y0 + k * y2), u2 = c2 * i2;
        const double left2 = n2 - (g * d0 + k * d2), w_2 = left2 * i2 * m2;
        const double v0 = y0 * u2, v1 = y1 * u2, v2 = y2 * u2, v3 = y3 * u2;
        const double k0 = v0 * u2, k1 = v1 * u2, k2 = v2 * u2, k3 = v3 * u2;
        d0 += k0 * left2; d1 += k1 * left2; d2 += k2 * left2; d3 += k3 * left2;
        p00 -= v0 * v0; p10 -= v1 * v0; p11 -= v1 * v1; p20 -= v2 * v0; p21 -= v2 * v1;
        p22 -= v2 * v2; p30 -= v3 * v0; p31 -= v3 * v1; p32 -= v3 * v2; p33 -= v3 * v3;
        const double f0 = 0.5 * (NOISE[2] * k0 - (g * p00 + k * p20)), f1 = 0.5 * (NOISE[2] * k1 - (g * p10 + k * p21));
        const double f2 = 0.5 * (NOISE[2] * k2 - (g * p20 + k * p22)), f3 = 0.5 * (NOISE[2] * k3 - (g * p30 + k * p32));
        p00 += 2.0 * f0 * k0; p11 += 2.0 * f1 * k1; p22 += 2.0 * f2 * k2; p33 += 2.0 * f3 * k3;
        p10 += f1 * k0 + f0 * k1; p20 += f2 * k0 + f0 * k2; p21 += f2 * k1 + f1 * k2;
        p30 += f3 * k0 + f0 * k3; p31 += f3 * k1 + f1 * k3; p32 += f3 * k2 + f2 * k3;
        nis += w_2 * w_2;

        const double x0 = w + d0, x1 = T + d1, x2 = wear + d2, x3 = l + d3;
        const double sum = x0 + x1 + x2 + x3 + p00 + p10 + p11 + p20 + p21 + p22 + p30 + p31 + p32 + p33;
        const int good = (sum - sum == 0.0) & (p00 > 0.0) & (p11 > 0.0) & (p22 > 0.0) & (p33 > 0.0);
        bad[j] = good ? 0.0 : 1.0;
        present[j] = m0 + m1 + m2;
        used[0][j] = c0; used[1][j] = c1; used[2][j] = c2;

        double *o = out + i;
        o[0] = x0; o[n] = x1; o[2 * n] = x2; o[3 * n] = x3;
        o[4 * n] = p00; o[5 * n] = p10; o[6 * n] = p11; o[7 * n] = p20; o[8 * n] = p21;
        o[9 * n] = p22; o[10 * n] = p30; o[11 * n] = p31; o[12 * n] = p32; o[13 * n] = p33;
        o[14 * n] = e0; o[15 * n] = e1; o[16 * n] = e2;
        o[17 * n] = n0; o[18 * n] = n1; o[19 * n] = n2;
        o[20 * n] = S0; o[21 * n] = S1; o[22 * n] = S2;
        o[23 * n] = r0; o[24 * n] = r1; o[25 * n] = r2;
        o[26 * n] = w_0; o[27 * n] = w_1; o[28 * n] = w_2; o[29 * n] = nis;
    }
    for (int s = 0; s < 3; s++)
        for (int64_t j = 0; j < m; j++) accepted[s * n + from + j] = used[s][j] > 0.5;
    for (int64_t j = 0; j < m; j++) {
        const int64_t i = from + j, before = rejected[i];
        const double refused = present[j] - used[0][j] - used[1][j] - used[2][j];
        const int64_t more = (before > 0 ? before : 0) + 1, kept = present[j] > 0.0 ? 0 : before;
        seen[i] = (int64_t)present[j];
        counted[i] = refused > 0.5 * present[j] ? more : kept;
    }
    for (int64_t j = 0; j < m; j++) diverged[from + j] = bad[j] > 0.5;
    for (int64_t j = 0; j < m; j++) again[from + j] = diverged[from + j] | (counted[from + j] >= patience);
    }
}

/* The same arrays read and written, hardly any arithmetic: what moving the data alone costs. */
void move_only(const int64_t n, const double *restrict in, const int64_t rows_in, double *restrict out,
               const int64_t rows_out)
{
    for (int64_t from = 0; from < n; from += 512) {
        const int64_t to = from + 512 < n ? from + 512 : n;
        for (int64_t r = 0; r < rows_out; r++) {
            const double *a = in + (r % rows_in) * n;
            double *o = out + r * n;
            for (int64_t i = from; i < to; i++) o[i] = a[i] + 1.0;
        }
    }
}

/* STREAM's triad: 24 bytes an element. */
void triad(const int64_t n, double *restrict a, const double *restrict b, const double *restrict c)
{
    for (int64_t i = 0; i < n; i++) a[i] = b[i] + 3.0 * c[i];
}
