#include "bench/limits/Generated.h"

#include "codegen/artifact/Packing.h"
#include "codegen/cpu/ProductProbe.h"
#include "runtime/Memory.h"

#include <cassert>

namespace moire::limits {

using cpu::ProbeProduct;
using cpu::ProbeRows;
using cpu::ProductProbe;

namespace {
// Many rows whose operands lie in a thread's second-level cache, those of a panel in the first: 128
// rows of 512 columns, and 4 panels.
constexpr int64_t kRows = 128, kColumns = 512, kWidth = 64;
// One row of as many columns as a layer of a large model has.
constexpr int64_t kRowColumns = 4096;

Kind kindOf(const ProbeProduct &product, const ProductProbe &probe) {
  if (product.rows == ProbeRows::Int8)
    return Kind::Int8;
  return probe.instruction == "vfmadd" ? Kind::F32 : Kind::Bf16;
}

// What a step of some rows works on. The system's pages are zeroed, and taken when they are
// touched.
class Operands {
public:
  bool allocate(const ProductProbe &probe, int64_t rows, int64_t width, int64_t team,
                std::string &error) {
    const int64_t room = moire_whole_fours(rows);
    int64_t perThread = (probe.scratchBytes + probe.scratchBytesPerToken * room) * team;
    if (!arena.allocate(probe.arenaBytesPerToken * room) || !scratch.allocate(perThread) ||
        !logits.allocate(rows * width * 4)) {
      error = "no memory for the operands of a product";
      return false;
    }
    // Rows of activations are in either: a single one is every thread's own.
    for (LazyMemory *memory : {&arena, &scratch})
      fillHarmlessly(memory->data(), static_cast<int64_t>(memory->bytes()), 1);
    step.arena = arena.data();
    step.scratch = scratch.data();
    step.logits = reinterpret_cast<float *>(logits.data());
    step.token_count = step.row_count = rows;
    step.max_tokens = room;
    return true;
  }

  moire_step step = {};

private:
  LazyMemory arena, scratch, logits;
};
} // namespace

// Operations a second of all threads, each with operands of its own.
static bool measureRows(const ProbeProduct &product, const ProductProbe &probe, Team &team,
                        const Effort &effort, Ceiling &ceiling, std::string &error) {
  std::vector<Operands> operands(team.size());
  std::vector<LazyMemory> weights(team.size());
  for (int64_t thread = 0; thread < team.size(); ++thread) {
    if (!operands[thread].allocate(probe, kRows, product.width, 1, error))
      return false;
    if (!weights[thread].allocate(probe.weightBytes)) {
      error = "no memory for the weights of a product";
      return false;
    }
    fillHarmlessly(weights[thread].data(), probe.weightBytes, 2);
    operands[thread].step.weights = weights[thread].data();
  }
  double seconds = secondsPerTurn(team, effort, [&](int64_t thread, int64_t n) {
    for (int64_t i = 0; i < n; ++i)
      probe.steps.many(&operands[thread].step, 0, 1);
  });
  ceiling.operations =
      2.0 * static_cast<double>(team.size() * kRows * product.width * product.k) / seconds;
  return true;
}

// Bytes a second of a weight that the threads share, as they do in a program.
static bool measureRow(const ProbeProduct &product, const ProductProbe &probe, Team &team,
                       const Effort &effort, const ReadMemory &memory, Ceiling &ceiling,
                       std::string &error) {
  assert(probe.weightBytes <= memory.bytes());
  Operands operands;
  if (!operands.allocate(probe, 1, product.width, team.size(), error))
    return false;
  operands.step.weights = memory.data();
  double seconds = fastest(team, effort.runs, [&](int64_t thread) {
    probe.steps.one(&operands.step, thread, team.size());
  });
  ceiling.read = static_cast<double>(product.width / kPanelRows * product.panelBytes()) / seconds;
  return true;
}

// A line of the report for each team: the product is compiled once.
static bool measureFormat(const ProbeProduct &rows, Teams teams, const Effort &effort,
                          const ReadMemory &memory, Report &report, std::string &error) {
  constexpr int64_t kOthers = 1 << 20; // bytes for what else the section of weights holds
  ProbeProduct row = rows;
  row.k = kRowColumns;
  row.width = (memory.bytes() - kOthers) / row.panelBytes() * kPanelRows;
  llvm::Expected<ProductProbe> ofRows = ProductProbe::compile(rows);
  llvm::Expected<ProductProbe> ofRow = ProductProbe::compile(row);
  if (!ofRows || !ofRow) {
    error = llvm::toString(llvm::joinErrors(ofRows.takeError(), ofRow.takeError()));
    return false;
  }
  for (const std::unique_ptr<Team> &team : teams) {
    Ceiling ceiling{ofRows->panel, ofRows->instruction, kindOf(rows, *ofRows), team->size(), 0, 0};
    if (!measureRows(rows, *ofRows, *team, effort, ceiling, error) ||
        !measureRow(row, *ofRow, *team, effort, memory, ceiling, error))
      return false;
    report.limit(ceiling.kind, team->size())
        .generated.improve(ceiling.operations, ceiling.format + " by " + ceiling.instruction);
    report.limit(Kind::Read, team->size())
        .generated.improve(ceiling.read,
                           "one row of " + ceiling.format + ", " + memory.pagesText());
    report.ceilings.push_back(std::move(ceiling));
  }
  return true;
}

bool measureGenerated(Teams teams, const Effort &effort, Report &report, std::string &error) {
  ReadMemory memory;
  if (!memory.allocate(effort.readBytes, Pages::Huge, *teams.back(), error))
    return false;
  for (const ProbeProduct &product : cpu::probeProducts(kColumns, kWidth))
    if (!measureFormat(product, teams, effort, memory, report, error))
      return false;
  return true;
}

} // namespace moire::limits
