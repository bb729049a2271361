#include "bench/limits/Assembly.h"

#include "runtime/Format.h"
#include "runtime/cpu/Features.h"

// The loops, and how many operations a turn of each does.
#define ARITHMETIC(name)                                                                           \
  void moire_##name(int64_t turns);                                                                \
  extern const int64_t moire_##name##_operations;
#define READ(name) void moire_##name(const void *data, int64_t bytes);
extern "C" {
ARITHMETIC(f32_avx2)
ARITHMETIC(f32_avx512)
ARITHMETIC(bf16_avx512)
ARITHMETIC(int8_avx2)
ARITHMETIC(int8_avx512)
ARITHMETIC(int8_vnni)
READ(read_1)
READ(read_2)
READ(read_4)
READ(read_8)
READ(read_1_ahead)
READ(read_2_ahead)
READ(read_4_ahead)
READ(read_8_ahead)
}
#undef ARITHMETIC
#undef READ

namespace moire::limits {

namespace {
struct Arithmetic {
  Kind kind;
  int64_t feature;
  const char *by;
  void (*loop)(int64_t turns);
  const int64_t &operations;
};

struct Read {
  int64_t streams;
  const char *by;
  void (*loop)(const void *data, int64_t bytes);
};
} // namespace

static const Arithmetic kArithmetic[] = {
    {Kind::F32, MOIRE_CPU_AVX2, "vfmadd231ps, 256 bits", moire_f32_avx2, moire_f32_avx2_operations},
    {Kind::F32, MOIRE_CPU_AVX512, "vfmadd231ps, 512 bits", moire_f32_avx512,
     moire_f32_avx512_operations},
    {Kind::Bf16, MOIRE_CPU_AVX512_BF16, "vdpbf16ps, 512 bits", moire_bf16_avx512,
     moire_bf16_avx512_operations},
    // Without VNNI: sums of 16 bits, which 4-bit weights allow to widen every 8 products.
    {Kind::Int8, MOIRE_CPU_AVX2, "vpmaddubsw, 256 bits, widened as 4-bit weights need",
     moire_int8_avx2, moire_int8_avx2_operations},
    {Kind::Int8, MOIRE_CPU_AVX512, "vpmaddubsw, 512 bits, widened as 4-bit weights need",
     moire_int8_avx512, moire_int8_avx512_operations},
    {Kind::Int8, MOIRE_CPU_AVX512_VNNI, "vpdpbusd, 512 bits", moire_int8_vnni,
     moire_int8_vnni_operations},
};

static constexpr Read kReads[] = {
    {1, "1 stream", moire_read_1},
    {2, "2 streams", moire_read_2},
    {4, "4 streams", moire_read_4},
    {8, "8 streams", moire_read_8},
    {1, "1 stream prefetched", moire_read_1_ahead},
    {2, "2 streams prefetched", moire_read_2_ahead},
    {4, "4 streams prefetched", moire_read_4_ahead},
    {8, "8 streams prefetched", moire_read_8_ahead},
};

constexpr Pages kPages[] = {Pages::Small, Pages::Huge};

static std::string nameOf(const Read &read, const ReadMemory &memory) {
  return format("%s a thread, %s", read.by, memory.pagesText());
}

// Bytes a second, timed by `fastest` or `average`.
static double rateOf(const Read &read, const ReadMemory &memory, Team &team, int64_t runs,
                     decltype(fastest) time) {
  constexpr int64_t kTurn = 256; // bytes of a stream
  int64_t stream = memory.bytes() / team.size() / read.streams / kTurn * kTurn;
  double seconds = time(team, runs, [&](int64_t thread) {
    read.loop(memory.data() + thread * read.streams * stream, stream);
  });
  return static_cast<double>(team.size() * read.streams * stream) / seconds;
}

static bool measureReads(Team &team, const Effort &effort, Rate &rate, std::string &error) {
  for (Pages pages : kPages) {
    ReadMemory memory;
    if (!memory.allocate(effort.readBytes, pages, team, error))
      return false;
    for (const Read &read : kReads)
      rate.improve(rateOf(read, memory, team, effort.runs, fastest), nameOf(read, memory));
  }
  return true;
}

bool measureAssembly(Team &team, const Effort &effort, Report &report, std::string &error) {
  const int64_t features = cpuFeatures();
  if (!(features & MOIRE_CPU_AVX2)) {
    error = cpuName() + " lacks AVX2, FMA or F16C; limits are measured with them";
    return false;
  }
  report.machine = cpuName();
  report.features = describeCpuFeatures(features);
  if (!measureReads(team, effort, report.limit(Kind::Read, team.size()).assembly, error))
    return false;
  for (const Arithmetic &probe : kArithmetic) {
    if (!(features & probe.feature))
      continue;
    double seconds = secondsPerTurn(team, effort, [&](int64_t, int64_t n) { probe.loop(n); });
    report.limit(probe.kind, team.size())
        .assembly.improve(static_cast<double>(team.size() * probe.operations) / seconds, probe.by);
  }
  return true;
}

// What the loop that set a limit reaches now.
double LimitsAgain::rateOf(const Limit &limit, Team &team) const {
  // As many turns of a loop as take as long as all the runs of which the best was taken.
  auto turns = [&](double work) {
    return 1 +
           static_cast<int64_t>(effort.runs * effort.runSeconds * limit.assembly.perSecond / work);
  };
  for (const auto &[pages, memory] : memories)
    for (const Read &read : kReads)
      if (limit.kind == Kind::Read && limit.assembly.by == nameOf(read, memory))
        return limits::rateOf(read, memory, team, turns(memory.bytes()), average);
  for (const Arithmetic &probe : kArithmetic) {
    if (limit.kind != probe.kind || limit.assembly.by != probe.by)
      continue;
    double operations = static_cast<double>(team.size() * probe.operations);
    int64_t count = turns(operations);
    return operations * count / average(team, 1, [&](int64_t) { probe.loop(count); });
  }
  return 0;
}

bool LimitsAgain::measure(int64_t threads, Report &now, std::string &error) {
  std::unique_ptr<Team> &team = teams[threads];
  if (!team && !(team = Team::create(threads, error)))
    return false;
  if (memories.empty())
    for (Pages pages : kPages)
      if (!memories[pages].allocate(effort.readBytes, pages, *team, error))
        return false;
  for (const Limit &limit : before.limits)
    if (limit.threads == threads)
      now.limit(limit.kind, threads).assembly = {rateOf(limit, *team), limit.assembly.by};
  if (now.limits.empty())
    error = format("a team of %lld was not measured before", static_cast<long long>(threads));
  return !now.limits.empty();
}

} // namespace moire::limits
