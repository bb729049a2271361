// The builder: from a description applied to a container to moe IR.

#include "frontends/native/Import.h"
#include "frontends/native/Library.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <set>

using namespace moire;
using namespace mlir;

namespace {

class ModuleBuilder {
public:
  ModuleBuilder(MLIRContext &context, const Model &model, const std::string &path,
                const ImportOptions &options)
      : model(model), path(path), options(options), b(UnknownLoc::get(&context), &context) {
    f32 = b.getF32Type();
    i32 = b.getI32Type();
    idsType = RankedTensorType::get({ShapedType::kDynamic}, i32);
    int64_t any = ShapedType::kDynamic;
    Type stored = options.kv == "f16"    ? Type(b.getF16Type())
                  : options.kv == "bf16" ? Type(b.getBF16Type())
                                         : f32;
    Attribute encoding =
        options.kv == "int8" ? Attribute(moe::Int8RowsAttr::get(&context)) : Attribute();
    stateType = RankedTensorType::get({model.layers, any, any, model.kv_heads, model.head_dim},
                                      stored, encoding);
  }

  OwningOpRef<ModuleOp> build() {
    OwningOpRef<ModuleOp> module = ModuleOp::create(locationOf(model.at));
    (*module)->setAttr("moe.architecture", b.getStringAttr(model.architecture));
    (*module)->setAttr("moe.context", b.getI64IntegerAttr(model.context));
    b.setInsertionPointToEnd(module->getBody());
    declareModelWeights(model.before, /*isLayer=*/false);
    declareModelWeights(model.after, /*isLayer=*/false);
    for (const LayerClass &layerClass : model.classes)
      declareModelWeights(layerClass.body, /*isLayer=*/true);
    for (size_t n = 0; n < model.classes.size(); ++n)
      declareStacks(n);
    for (size_t n = 0; n < model.classes.size(); ++n)
      buildLayer(n);
    buildForward();
    return module;
  }

private:
  Location locationOf(SourceRange at) {
    return FileLineColLoc::get(b.getContext(), path, at.line, at.column);
  }

  RankedTensorType rowsType(int64_t width) {
    return RankedTensorType::get({ShapedType::kDynamic, width}, f32);
  }

  //===- Weights ------------------------------------------------------------===//

  /// The type of a weight, without the stack. Vectors are f32: the packer widens them exactly.
  RankedTensorType weightType(const WeightUse &weight, ArrayRef<int64_t> stack = {}) {
    SmallVector<int64_t> shape(stack);
    shape.append(weight.shape.begin(), weight.shape.end());
    Type element = f32;
    Attribute encoding;
    if (weight.shape.size() > 1) {
      if (weight.type == StorageType::F16)
        element = b.getF16Type();
      else if (weight.type == StorageType::BF16)
        element = b.getBF16Type();
      else if (std::optional<BlockFormat> format = blockFormatOf(weight.type))
        encoding = moe::BlockAttr::get(b.getContext(), *format);
    }
    return RankedTensorType::get(shape, element, encoding);
  }

  /// A layer may read one weight of several layers: the second stack of a name has a number.
  static std::string stackSymbol(size_t layerClass, const Body &body, size_t index) {
    const std::string &name = body.weights[index].name;
    size_t before = llvm::count_if(llvm::ArrayRef(body.weights).take_front(index),
                                   [&](const WeightUse &other) { return other.name == name; });
    return "layer_" + std::to_string(layerClass) + "." + name +
           (before ? "." + std::to_string(before + 1) : "");
  }

  void declare(const std::string &symbol, const WeightUse &weight, RankedTensorType type,
               ArrayRef<int64_t> layers) {
    auto recipe =
        moe::SourceAttr::get(b.getContext(), b.getStringAttr(weight.pattern), layers,
                             weight.interleaved_heads, weight.experts(), weight.first_row);
    moe::WeightOp::create(b, locationOf(weight.at), b.getStringAttr(symbol), TypeAttr::get(type),
                          recipe);
  }

  /// Of a weight that is no stack: outside of the layers also one that is one a layer.
  static std::string modelSymbol(const WeightUse &weight) {
    return weight.layer < 0 ? weight.name : weight.name + "." + std::to_string(weight.layer);
  }

  void declareModelWeights(const Body &body, bool isLayer) {
    for (WeightUse weight : body.weights) {
      if ((isLayer && weight.layer >= 0) || !declared.insert(modelSymbol(weight)).second)
        continue;
      weight.pattern = tensorName(weight.pattern, weight.layer);
      declare(modelSymbol(weight), weight, weightType(weight), {});
    }
  }

  void declareStacks(size_t index) {
    const LayerClass &layerClass = model.classes[index];
    const Body &body = layerClass.body;
    for (auto [n, weight, layers] : llvm::enumerate(body.weights, layerClass.weight_layers))
      if (weight.layer >= 0)
        declare(stackSymbol(index, body, n), weight,
                weightType(weight, static_cast<int64_t>(layers.size())), layers);
  }

  //===- Bodies ------------------------------------------------------------===//

  /// The values that a body can see beside its rows. `layerClass` is -1 outside of the layers.
  struct Surroundings {
    int layerClass = -1;
    Value tokens, layer, slice, slots, positions, keys, values;
  };

  Value read(const Body &body, size_t index, const Surroundings &in) {
    const WeightUse &weight = body.weights[index];
    RankedTensorType type = weightType(weight);
    if (weight.layer < 0 || in.layerClass < 0)
      return moe::ReadOp::create(b, type, modelSymbol(weight), Value());
    return moe::ReadOp::create(b, type, stackSymbol(in.layerClass, body, index), in.slice);
  }

  Attribute scalingAttr(const RopeScaling &scaling) {
    auto real = [&](double value) { return b.getF64FloatAttr(value); };
    switch (scaling.kind) {
    case RopeScaling::Kind::None:
      return {};
    case RopeScaling::Kind::Linear:
      return moe::LinearScalingAttr::get(b.getContext(), real(scaling.factor));
    case RopeScaling::Kind::Llama3:
      return moe::Llama3ScalingAttr::get(b.getContext(), real(scaling.factor),
                                         real(scaling.low_factor), real(scaling.high_factor),
                                         scaling.original_context);
    }
    return {};
  }

  static moe::Activation activationOf(const Step &step) {
    return step.activation == Step::Activation::Sigmoid ? moe::Activation::Sigmoid
                                                        : moe::Activation::Silu;
  }

  /// The experts of each token, and their weights.
  moe::RouteOp route(const Step &step, Value logits, Value bias) {
    const Routing &routing = step.routing;
    moe::Scoring scoring = routing.scores == Routing::Scores::Sigmoid ? moe::Scoring::Sigmoid
                           : routing.scores == Routing::Scores::SoftmaxChosen
                               ? moe::Scoring::SoftmaxChosen
                               : moe::Scoring::Softmax;
    moe::GroupScore groupScore = routing.group_score == Routing::GroupScore::Top2Sum
                                     ? moe::GroupScore::Top2Sum
                                     : moe::GroupScore::Max;
    FloatAttr normalize = routing.normalize ? b.getF64FloatAttr(*routing.normalize) : FloatAttr();
    Type ids = RankedTensorType::get({ShapedType::kDynamic, routing.top}, i32);
    return moe::RouteOp::create(b, ids, rowsType(routing.top), scoring, logits, bias,
                                routing.groups, routing.group_limit, groupScore, normalize,
                                llvm::APFloat(routing.scaling));
  }

  /// Emits the steps of `body` over the rows `x` and returns its result; `in.keys` and
  /// `in.values` become the states after it.
  Value emit(const Body &body, Value x, Surroundings &in) {
    SmallVector<Value> rows, ids(body.steps.size()); // ids: of the steps that route
    for (const Step &step : body.steps) {
      b.setLoc(locationOf(step.at));
      auto input = [&](size_t n) { return rows[step.inputs[n]]; };
      auto weight = [&](size_t n) { return read(body, step.weights[n], in); };
      Type type = rowsType(step.width);
      switch (step.kind) {
      case Step::Kind::Input:
        rows.push_back(x);
        break;
      case Step::Kind::Embed:
        rows.push_back(moe::EmbedOp::create(b, type, in.tokens, weight(0)));
        break;
      case Step::Kind::RmsNorm:
        rows.push_back(
            moe::RmsNormOp::create(b, type, input(0), weight(0), b.getF64FloatAttr(step.eps)));
        break;
      case Step::Kind::Linear: {
        Value matrix = weight(0);
        Value bias = step.weights.size() > 1 ? weight(1) : Value();
        rows.push_back(moe::LinearOp::create(b, type, input(0), matrix, bias));
        break;
      }
      case Step::Kind::Rope:
        rows.push_back(
            moe::RopeOp::create(b, type, input(0), in.positions, b.getI64IntegerAttr(step.head_dim),
                                b.getI64IntegerAttr(step.rotary_dims), b.getF64FloatAttr(step.base),
                                scalingAttr(step.scaling)));
        break;
      case Step::Kind::Attention: {
        auto window = step.window ? b.getI64IntegerAttr(*step.window) : IntegerAttr();
        in.keys = moe::KvAppendOp::create(b, stateType, input(1), in.keys, in.layer, in.slots,
                                          in.positions);
        in.values = moe::KvAppendOp::create(b, stateType, input(2), in.values, in.layer, in.slots,
                                            in.positions);
        rows.push_back(moe::AttentionOp::create(b, type, input(0), in.keys, in.values, in.layer,
                                                in.slots, in.positions,
                                                b.getF64FloatAttr(step.scale), window));
        break;
      }
      case Step::Kind::Gate:
        rows.push_back(moe::GateOp::create(b, type, activationOf(step), input(0), input(1)));
        break;
      case Step::Kind::Add:
        rows.push_back(arith::AddFOp::create(b, input(0), input(1)));
        break;
      case Step::Kind::Scale:
        rows.push_back(moe::ScaleOp::create(b, type, input(0), b.getF64FloatAttr(step.factor)));
        break;
      case Step::Kind::Route: {
        Value bias = step.weights.empty() ? Value() : weight(0);
        moe::RouteOp chosen = route(step, input(0), bias);
        ids[rows.size()] = chosen.getIds();
        rows.push_back(chosen.getWeights());
        if (options.keepRoute && in.layer) // what is handed out is numbered by layer
          moe::TapRouteOp::create(b, chosen.getIds(), chosen.getWeights(), in.layer);
        break;
      }
      case Step::Kind::Experts: {
        Value gate = step.gated ? weight(0) : Value();
        Value up = weight(step.gated), down = weight(step.gated + 1);
        rows.push_back(moe::ExpertsOp::create(b, type, activationOf(step), input(0),
                                              ids[step.inputs[1]], input(1), gate, up, down,
                                              /*gated=*/false, /*hidden=*/moe::BlockAttr()));
        break;
      }
      }
    }
    return rows[body.result];
  }

  //===- Functions ------------------------------------------------------------===//

  /// A function whose entry block is the insertion point.
  func::FuncOp beginFunction(const std::string &name, SourceRange at, ArrayRef<Type> inputs,
                             ArrayRef<Type> results) {
    b.setLoc(locationOf(at));
    auto function = func::FuncOp::create(b, name, b.getFunctionType(inputs, results));
    b.setInsertionPointToStart(function.addEntryBlock());
    return function;
  }

  void buildLayer(size_t index) {
    OpBuilder::InsertionGuard guard(b);
    const Body &body = model.classes[index].body;
    Type x = rowsType(model.hidden), number = b.getIndexType();
    func::FuncOp function = beginFunction(
        layerSymbol(index), body.steps.back().at,
        {number, number, x, idsType, idsType, stateType, stateType}, {x, stateType, stateType});
    function.setPrivate();
    Surroundings in;
    in.layerClass = static_cast<int>(index);
    in.layer = function.getArgument(0);
    in.slice = function.getArgument(1);
    in.slots = function.getArgument(3);
    in.positions = function.getArgument(4);
    in.keys = function.getArgument(5);
    in.values = function.getArgument(6);
    Value result = emit(body, function.getArgument(2), in);
    func::ReturnOp::create(b, ValueRange{result, in.keys, in.values});
  }

  /// for layer in first .. first + count: (x, keys, values) = @layer_<class>(…)
  void buildRun(const LayerRun &run, Value &x, Surroundings &in) {
    b.setLoc(locationOf(model.classes[run.layer_class].body.at));
    auto constant = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(b, value);
    };
    Value first = constant(run.first), end = constant(run.first + run.count), one = constant(1);
    auto loop = scf::ForOp::create(b, first, end, one, ValueRange{x, in.keys, in.values});
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value layer = loop.getInductionVar(), slice = layer;
    if (run.slice != run.first)
      slice = arith::AddIOp::create(b, layer, constant(run.slice - run.first));
    Value entering = loop.getRegionIterArg(0);
    if (options.keepHidden)
      moe::TapOp::create(b, entering, layer);
    auto call = func::CallOp::create(
        b, layerSymbol(run.layer_class), TypeRange{x.getType(), stateType, stateType},
        ValueRange{layer, slice, entering, in.slots, in.positions, loop.getRegionIterArg(1),
                   loop.getRegionIterArg(2)});
    scf::YieldOp::create(b, call.getResults());
    x = loop.getResult(0);
    in.keys = loop.getResult(1);
    in.values = loop.getResult(2);
  }

  void buildForward() {
    OpBuilder::InsertionGuard guard(b);
    func::FuncOp function =
        beginFunction("forward", model.before.steps.front().at,
                      {idsType, idsType, idsType, idsType, stateType, stateType},
                      {rowsType(model.vocabulary), stateType, stateType});
    Surroundings in;
    in.tokens = function.getArgument(0);
    in.slots = function.getArgument(1);
    in.positions = function.getArgument(2);
    in.keys = function.getArgument(4);
    in.values = function.getArgument(5);
    Value x = emit(model.before, Value(), in);
    for (const LayerRun &run : model.runs)
      buildRun(run, x, in);
    b.setLoc(locationOf(model.after.steps.back().at));
    if (options.keepHidden)
      moe::TapOp::create(b, x, arith::ConstantIndexOp::create(b, model.layers));
    Value asked = moe::SelectRowsOp::create(b, x.getType(), x, function.getArgument(3));
    Value logits = emit(model.after, asked, in);
    func::ReturnOp::create(b, ValueRange{logits, in.keys, in.values});
  }

  const Model &model;
  const std::string &path;
  const ImportOptions &options;
  ImplicitLocOpBuilder b;
  FloatType f32;
  IntegerType i32;
  RankedTensorType idsType, stateType;
  std::set<std::string> declared;
};

} // namespace

std::string moire::layerSymbol(size_t index) { return "layer_" + std::to_string(index); }

OwningOpRef<ModuleOp> moire::buildModule(MLIRContext &context, const Model &model,
                                         const std::string &descriptionPath,
                                         const ImportOptions &options) {
  context.loadDialect<moe::MoeDialect, func::FuncDialect, scf::SCFDialect, arith::ArithDialect>();
  return ModuleBuilder(context, model, descriptionPath, options).build();
}

OwningOpRef<ModuleOp> moire::importModel(MLIRContext &context, const Container &container,
                                         const ImportOptions &options, ReadError &error) {
  std::unique_ptr<Description> description =
      findDescription(container, options.descriptionFile, error);
  if (!description)
    return nullptr;
  if (container.tensors.empty()) {
    error.kind = ReadError::Kind::BadInput;
    error.message = quote(container.path) + " holds no weights; a compilation needs them";
    return nullptr;
  }
  Model model;
  if (!applyDescription(*description, container, Weights::Needed, model, error))
    return nullptr;
  return buildModule(context, model, description->source.path, options);
}

const TensorEntry *moire::sourceTensor(const Container &container, moe::SourceAttr source,
                                       int64_t slice, int64_t expert) {
  ArrayRef<int64_t> layers = source.getLayers();
  if (!layers.empty() && (slice < 0 || slice >= static_cast<int64_t>(layers.size())))
    return nullptr;
  auto found = container.tensors.find(
      tensorName(source.getName().str(), layers.empty() ? -1 : layers[slice], expert));
  return found == container.tensors.end() ? nullptr : &found->second;
}
