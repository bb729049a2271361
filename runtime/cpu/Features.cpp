#include "runtime/cpu/Features.h"

#include "runtime/Abi.h"
#include "runtime/Format.h"

#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace moire {

#if defined(__x86_64__)

namespace {
struct Registers {
  uint32_t a = 0, b = 0, c = 0, d = 0;
};

// All zero when the processor does not know the leaf.
Registers cpuid(uint32_t leaf, uint32_t subleaf) {
  Registers r;
  if (!__get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d))
    return {};
  return r;
}

constexpr bool hasAll(uint32_t value, uint32_t bits) { return (value & bits) == bits; }

// XCR0: which register sets the system saves when it switches threads.
uint32_t savedRegisterSets(const Registers &leaf1) {
  if (!hasAll(leaf1.c, bit_OSXSAVE))
    return 0;
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}
} // namespace

int64_t cpuFeatures() {
  constexpr uint32_t kYmmState = 0x06, kZmmState = 0xE6;
  Registers one = cpuid(1, 0), seven = cpuid(7, 0), sevenOne = cpuid(7, 1);
  Registers extended = cpuid(0x80000001, 0);
  uint32_t saved = savedRegisterSets(one);

  int64_t features = 0;
  if (!hasAll(saved, kYmmState) || !hasAll(one.c, bit_AVX | bit_FMA | bit_F16C | bit_MOVBE) ||
      !hasAll(seven.b, bit_AVX2 | bit_BMI | bit_BMI2) || !hasAll(extended.c, bit_LZCNT))
    return features;
  features |= MOIRE_CPU_AVX2;
  if (!hasAll(saved, kZmmState) ||
      !hasAll(seven.b, bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL))
    return features;
  features |= MOIRE_CPU_AVX512;
  if (hasAll(seven.c, bit_AVX512VNNI))
    features |= MOIRE_CPU_AVX512_VNNI;
  if (hasAll(sevenOne.a, bit_AVX512BF16))
    features |= MOIRE_CPU_AVX512_BF16;
  return features;
}

std::string cpuName() {
  char name[49] = {};
  for (uint32_t i = 0; i < 3; ++i) {
    Registers r = cpuid(0x80000002 + i, 0);
    memcpy(name + 16 * i, &r, 16);
  }
  const char *start = name;
  while (*start == ' ')
    ++start;
  return *start ? start : "this processor";
}

#else

int64_t cpuFeatures() { return 0; }
std::string cpuName() { return "this processor"; }

#endif

std::string describeCpuFeatures(int64_t bits) {
  static constexpr struct {
    int64_t bit;
    const char *name;
  } known[] = {
      {MOIRE_CPU_AVX2, "AVX2 with FMA and F16C"},
      {MOIRE_CPU_AVX512, "AVX-512 (F, BW, CD, DQ, VL)"},
      {MOIRE_CPU_AVX512_VNNI, "AVX-512 VNNI"},
      {MOIRE_CPU_AVX512_BF16, "AVX-512 BF16"},
  };
  std::string out;
  auto add = [&](const std::string &name) { out += out.empty() ? name : ", " + name; };
  for (auto [bit, name] : known) {
    if (bits & bit)
      add(name);
    bits &= ~bit;
  }
  if (bits)
    add(format("features 0x%llx, which this runtime does not know",
               static_cast<unsigned long long>(bits)));
  return out;
}

} // namespace moire
