// A picture's planes to the screen's R'G'B'.
//
// Set before this text: PLANE (the sampler type), and
//   LAYOUT    0 R'G'B', 1 luma, 2 luma and Cb Cr, 3 luma and Cr Cb, 4 luma, Cb and Cr
//   SPLIT     1 if a 16-bit number lies in two 8-bit components, low byte first
//   TRANSFER  0 shown as it is, 1 PQ, 2 HLG
//   WIDE      1 if the primaries are BT.2020's

uniform PLANE u_plane0;
#if LAYOUT >= 2
uniform PLANE u_plane1;
#endif
#if LAYOUT == 4
uniform PLANE u_plane2;
#endif

// Framebuffer pixels to coded pixels, a row each.
uniform vec3 u_place_x;
uniform vec3 u_place_y;
// Coded pixels to where the planes are sampled: scale in xy, offset in zw.
uniform vec4 u_luma_grid;
uniform vec4 u_chroma_grid;
// The first and last texel centre of the visible part, likewise: nothing outside the crop is ever read.
uniform vec4 u_luma_bounds;
uniform vec4 u_chroma_bounds;
// R'G'B' = matrix * (sample - zero).
uniform mat3 u_matrix;
uniform vec3 u_zero;
// The tone curve: the source's peak as a PQ signal; the screen's peak and the knee, both relative to it.
uniform vec3 u_curve;

out vec4 o_color;

// SDR's reference white, cd/m2 (BT.2408), and with it the brightest an SDR screen gets.
const float WHITE = 203.0;
// What a PQ signal of 1 means, cd/m2.
const float PQ_PEAK = 10000.0;

#if SPLIT == 1
vec2 joined(PLANE plane, ivec2 texel) {
    vec4 it = texelFetch(plane, texel, 0);
    return (it.rb + 256.0 * it.ga) / 257.0;
}

// Bytes must be joined before they are filtered: a filter's rounding of the high byte would swamp the low one.
vec2 sampled(PLANE plane, vec2 at, vec4 bounds) {
    vec2 corner = clamp(at, bounds.xy, bounds.zw) - 0.5;
    ivec2 low = ivec2(floor(corner));
    ivec2 high = min(low + 1, ivec2(bounds.zw));
    vec2 part = corner - vec2(low);
    vec2 above = mix(joined(plane, low), joined(plane, ivec2(high.x, low.y)), part.x);
    vec2 below = mix(joined(plane, ivec2(low.x, high.y)), joined(plane, high), part.x);
    return mix(above, below, part.y);
}
#else
vec4 sampled(PLANE plane, vec2 at, vec4 bounds) {
    return texture(plane, clamp(at, bounds.xy, bounds.zw));
}
#endif

// At a position in coded pixels.
vec3 components(vec2 at) {
    vec2 luma_at = at * u_luma_grid.xy + u_luma_grid.zw;
#if LAYOUT == 0
    return sampled(u_plane0, luma_at, u_luma_bounds).rgb;
#else
    float luma = sampled(u_plane0, luma_at, u_luma_bounds).r;
#if LAYOUT == 1
    return vec3(luma, u_zero.yz);
#else
    vec2 chroma_at = at * u_chroma_grid.xy + u_chroma_grid.zw;
#if LAYOUT == 2
    return vec3(luma, sampled(u_plane1, chroma_at, u_chroma_bounds).rg);
#elif LAYOUT == 3
    return vec3(luma, sampled(u_plane1, chroma_at, u_chroma_bounds).gr);
#else
    return vec3(luma, sampled(u_plane1, chroma_at, u_chroma_bounds).r, sampled(u_plane2, chroma_at, u_chroma_bounds).r);
#endif
#endif
#endif
}

#if TRANSFER != 0
const float M1 = 2610.0 / 16384.0;
const float M2 = 2523.0 / 32.0;
const float C1 = 3424.0 / 4096.0;
const float C2 = 2413.0 / 128.0;
const float C3 = 2392.0 / 128.0;

// SMPTE ST 2084: a PQ signal to cd/m2.
vec3 light_of_pq(vec3 signal) {
    vec3 root = pow(signal, vec3(1.0 / M2));
    return PQ_PEAK * pow(max(root - C1, 0.0) / (C2 - C3 * root), vec3(1.0 / M1));
}

// And back.
float pq_of_light(float light) {
    float root = pow(light / PQ_PEAK, M1);
    return pow((C1 + C2 * root) / (1.0 + C3 * root), M2);
}

// BT.2390's EETF without black lift: straight up to the knee, then a Hermite spline into the screen's peak. What to
// multiply light by whose brightest component has this PQ signal; the same for R, G and B keeps the hue.
float tone_gain(float brightest) {
    float relative = min(brightest / u_curve.x, 1.0);
    float knee = u_curve.z;
    if (relative <= knee) {
        return 1.0;
    }
    float t = (relative - knee) / (1.0 - knee);
    float t2 = t * t;
    float t3 = t2 * t;
    float mapped = (2.0 * t3 - 3.0 * t2 + 1.0) * knee + (t3 - 2.0 * t2 + t) * (1.0 - knee) + (3.0 * t2 - 2.0 * t3) * u_curve.y;
    vec3 light = light_of_pq(vec3(mapped * u_curve.x, brightest, 0.0));
    return light.x / light.y;
}
#endif

#if TRANSFER == 2
// BT.2100 HLG at a nominal peak of 1000 cd/m2: the inverse OETF of each component, then the OOTF with gamma 1.2.
vec3 light_of_hlg(vec3 signal) {
    const float A = 0.17883277;
    const float B = 1.0 - 4.0 * A;
    const float C = 0.55991073;
    vec3 scene = mix(signal * signal / 3.0, (exp((signal - C) / A) + B) / 12.0, step(0.5, signal));
    float luminance = dot(scene, vec3(0.2627, 0.6780, 0.0593));
    return 1000.0 * pow(luminance, 0.2) * scene;
}
#endif

#if WIDE == 1
// BT.2020's primaries to BT.709's in linear light (BT.2087). Written as differences, so that grey stays grey exactly.
vec3 narrowed(vec3 c) {
    return vec3(
        c.r - 0.5876411 * (c.g - c.r) - 0.0728499 * (c.b - c.r),
        c.g - 0.1245505 * (c.r - c.g) - 0.0083494 * (c.b - c.g),
        c.b - 0.0181508 * (c.r - c.b) - 0.1005789 * (c.g - c.b));
}
#endif

void main() {
    vec3 pixel = vec3(gl_FragCoord.xy, 1.0);
    vec2 at = vec2(dot(u_place_x, pixel), dot(u_place_y, pixel));
    vec3 color = clamp(u_matrix * (components(at) - u_zero), 0.0, 1.0);
#if TRANSFER == 1
    float brightest = max(color.r, max(color.g, color.b));
    color = light_of_pq(color) * (tone_gain(brightest) / WHITE);
#elif TRANSFER == 2
    color = light_of_hlg(color);
    float brightest = pq_of_light(max(color.r, max(color.g, color.b)));
    color *= tone_gain(brightest) / WHITE;
#elif WIDE == 1
    // The display's own curve (BT.1886 with black at zero) takes the signal to light.
    color = pow(color, vec3(2.4));
#endif
#if WIDE == 1
    color = narrowed(color);
#endif
#if TRANSFER != 0 || WIDE == 1
    color = pow(clamp(color, 0.0, 1.0), vec3(1.0 / 2.4));
#endif
    o_color = vec4(color, 1.0);
}
