#include "codegen/cpu/Passes.h"
#include "codegen/cpu/Phases.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace moire::cpu {

#define GEN_PASS_DEF_SPECIALIZE
#define GEN_PASS_DEF_SCHEDULE
#define GEN_PASS_DEF_PLANBUFFERS
#define GEN_PASS_DEF_INSERTBARRIERS
#define GEN_PASS_DEF_INSERTPROFILE
#define GEN_PASS_DEF_EXPAND
#include "codegen/cpu/Passes.h.inc"

namespace {

// A container with every tensor that a recipe names, and no data.
Container containerFor(ModuleOp module) {
  Container container;
  container.path = "recipes";
  for (auto weight : module.getOps<moe::WeightOp>()) {
    auto source = dyn_cast<moe::SourceAttr>(weight.getRecipe());
    if (!source)
      continue;
    ArrayRef<int64_t> shape = weight.getWeightType().getShape();
    shape = shape.drop_front(weight.getStack() ? 1 : 0);
    auto add = [&](std::string name) {
      TensorEntry &tensor = container.tensors[name];
      tensor.name = name;
      tensor.shape.assign(shape.begin(), shape.end());
    };
    auto addExperts = [&](const std::string &name) {
      size_t place = name.find("{e}");
      if (place == name.npos)
        return add(name);
      for (int64_t expert = 0; expert < source.getExperts(); ++expert)
        add(std::string(name).replace(place, 3, std::to_string(expert)));
    };
    if (source.getLayers().empty())
      addExperts(source.getName().str());
    for (int64_t layer : source.getLayers()) {
      std::string name = source.getName().str();
      addExperts(name.replace(name.find("{i}"), 3, std::to_string(layer)));
    }
  }
  return container;
}

struct Specialize : impl::SpecializeBase<Specialize> {
  void runOnOperation() override {
    if (failed(specialize(getOperation())))
      signalPassFailure();
  }
};

struct Schedule : impl::ScheduleBase<Schedule> {
  using ScheduleBase::ScheduleBase;
  void runOnOperation() override {
    ModuleOp module = getOperation();
    std::string error;
    FailureOr<Machine> machine = Machine::lookup(cpu, /*optLevel=*/3, error);
    if (failed(machine)) {
      module.emitError() << error;
      return signalPassFailure();
    }
    Container container = containerFor(module);
    Plan plan;
    if (failed(describeProgram(module, kvPage, plan)) ||
        failed(planWeights(module, container, *machine, plan)) ||
        failed(schedule(module, *machine, plan)))
      signalPassFailure();
  }
};

struct PlanBuffers : impl::PlanBuffersBase<PlanBuffers> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    Plan plan;
    planBuffers(module, plan);
    Builder b(module.getContext());
    if (plan.arenaBytes)
      module->setAttr("tile.arena_bytes", b.getI64IntegerAttr(plan.arenaBytes));
    module->setAttr("tile.arena_bytes_per_token", b.getI64IntegerAttr(plan.arenaBytesPerToken));
    module->setAttr("tile.scratch_bytes", b.getI64IntegerAttr(plan.scratchBytes));
    if (plan.scratchBytesPerToken)
      module->setAttr("tile.scratch_bytes_per_token",
                      b.getI64IntegerAttr(plan.scratchBytesPerToken));
  }
};

struct InsertBarriers : impl::InsertBarriersBase<InsertBarriers> {
  void runOnOperation() override { insertBarriers(getOperation()); }
};

// As the program's metadata will have it; what is zero is left out.
DictionaryAttr regionAttr(Builder &b, const ProfiledRegion &region) {
  NamedAttrList fields;
  fields.append("name", b.getStringAttr(region.name));
  fields.append("in", b.getStringAttr(region.function));
  if (region.wait)
    fields.append("wait", b.getUnitAttr());
  if (!region.arithmetic.empty())
    fields.append("arithmetic", b.getStringAttr(region.arithmetic));
  for (auto [key, member] : kRegionNumbers)
    if (int64_t number = region.*member)
      fields.append(key, b.getI64IntegerAttr(number));
  return fields.getDictionary(b.getContext());
}

struct InsertProfile : impl::InsertProfileBase<InsertProfile> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    Plan plan;
    if (failed(insertProfile(module, plan)))
      return signalPassFailure();
    Builder b(module.getContext());
    SmallVector<Attribute> regions;
    for (const ProfiledRegion &region : plan.regions)
      regions.push_back(regionAttr(b, region));
    module->setAttr("tile.regions", b.getArrayAttr(regions));
    module->setAttr("tile.stamps", b.getI64IntegerAttr(plan.stamps));
  }
};

struct Expand : impl::ExpandBase<Expand> {
  void runOnOperation() override {
    if (failed(expandKernels(getOperation())))
      signalPassFailure();
  }
};

} // namespace

} // namespace moire::cpu
