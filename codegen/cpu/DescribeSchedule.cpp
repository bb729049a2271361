#include "codegen/cpu/DescribeSchedule.h"

#include "codegen/cpu/Phases.h"
#include "dialects/moe/Remarks.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace moire {
namespace {

int64_t widthOf(Value rows) { return cast<MemRefType>(rows.getType()).getDimSize(1); }

/// The buffer, or the argument, that a view is of.
Value bufferOf(Value value) {
  Operation *op = value.getDefiningOp();
  while (op && !isa<tile::AllocOp, tile::InputOp>(op)) {
    value = op->getOperand(0);
    op = value.getDefiningOp();
  }
  return value;
}

/// Reads one variant of a function.
class Reader {
public:
  Reader(func::FuncOp function, const std::vector<PackedWeight> &weights)
      : function(function), weights(weights), isOne(function.getName().ends_with(cpu::kOne)) {}

  void run(DescribedFunction &result) {
    function.walk([&](Operation *op) {
      if (!isa_and_nonnull<tile::TileDialect>(op->getDialect()) || op->getNumResults() > 0 ||
          isa<tile::StampOp>(op))
        return;
      ++(isa<tile::BarrierOp>(op) ? barriers : kernels);
      llvm::TypeSwitch<Operation *>(op)
          .Case<tile::ContractOp, tile::GroupedContractOp, tile::CombineContractOp>(
              [&](auto product) { addProduct(product); })
          .Case([&](tile::RmsNormOp norm) {
            bool rounds = norm.getOuts().size() > 1 || norm.getRound();
            write(norm.getOuts().front(), {nameOf(norm.getGain()), false, rounds});
          })
          .Case([&](tile::QuantizeOp rounding) {
            write(rounding.getValues(), {writerOf(rounding.getX()).name, true, true});
          })
          .Case([&](tile::RoundOp rounding) {
            write(rounding.getOut(), {writerOf(rounding.getX()).name, true, true});
          })
          .Case([&](tile::AttendOp attend) {
            addAttention(attend);
            write(attend.getOut(), {"attention"});
          })
          .Case([&](tile::RouteOp route) { addRouting(route); })
          .Case([&](tile::DispatchOp) { routings.back().isSorted = true; })
          .Case([&](tile::EmbedOp embed) {
            addEmbedding(embed);
            write(embed.getOut(), {"embed"});
          })
          // What has one output calls it so.
          .Case<tile::SelectRowsOp, tile::RopeOp, tile::GateOp, tile::ScaleOp, tile::AddOp,
                tile::CopyOp>([&](auto kernel) { write(kernel.getOut(), {nameOfKernel(kernel)}); })
          .Case([&](tile::AttendCombineOp combine) { write(combine.getOut(), {"attention"}); });
    });
    share();
    merge(result);
  }

private:
  /// What has written a buffer last.
  struct Writer {
    std::string name = "the residual"; // of an argument
    bool isApart = false, rounds = false;
    int64_t time = 0;
  };

  static std::string nameOfKernel(Operation *op) { return op->getName().stripDialect().str(); }

  static std::string nameOf(Value weight) {
    StringRef symbol = weight.getDefiningOp<tile::WeightOp>().getName();
    return moe::splitWeightSymbol(symbol).second.str();
  }

  void write(Value rows, Writer writer) {
    writer.time = ++time;
    writers[bufferOf(rows)] = writer;
  }

  Writer writerOf(Value rows) const {
    Value buffer = bufferOf(rows);
    auto known = writers.find(buffer);
    if (known != writers.end())
      return known->second;
    return {};
  }

  const PackedWeight &packedOf(Value weight) const {
    StringRef name = weight.getDefiningOp<tile::WeightOp>().getName();
    auto found = llvm::find_if(weights, [&](const PackedWeight &w) { return w.name == name; });
    assert(found != weights.end() && "the plan has every weight that is read");
    return *found;
  }

  static ValueRange rowsOf(tile::ContractOp op) { return op.getX(); }
  static ValueRange rowsOf(tile::GroupedContractOp op) { return op.getX(); }
  static ValueRange rowsOf(tile::CombineContractOp op) { return op.getHidden(); }

  void addExperts(tile::ContractOp, DescribedProduct &product) {}
  void addExperts(tile::GroupedContractOp op, DescribedProduct &product) {
    product.chosen = op.getChoices();
  }
  void addExperts(tile::CombineContractOp op, DescribedProduct &product) {
    product.chosen = widthOf(op.getWeights());
    product.isSum = true;
  }

  template <typename Product> void addProduct(Product op) {
    const PackedWeight &packed = packedOf(op.getWeight());
    DescribedProduct product;
    product.weight = nameOf(op.getWeight());
    product.rows = packed.rows;
    product.k = packed.k;
    product.experts = packed.experts;
    product.stored = storedTypes(packed);
    product.packed = panelInfo(op.getFormat()).name;
    product.bytes = packed.layerBytes();
    product.instruction = op.getInstruction().str();
    product.epilogue = tile::stringifyEpilogue(op.getEpilogue()).str();
    if constexpr (std::is_same_v<Product, tile::ContractOp>)
      product.hasBias = bool(op.getBias());
    auto out = bufferOf(op.getOut()).template getDefiningOp<tile::InputOp>();
    product.isLogits = out && out.getField() == tile::Input::Logits;
    addExperts(op, product);

    ValueRange rows = rowsOf(op);
    Writer writer = writerOf(rows.front());
    product.input = writer.name;
    product.roundedApart = writer.isApart;
    bool pairs = cast<MemRefType>(rows.front().getType()).getElementType().isInteger(32);
    if (rows.size() == 3) {
      int64_t blocks = cast<MemRefType>(rows[1].getType()).getDimSize(2);
      product.activations = "int8";
      product.blockColumns = tile::QuantizedRows::ofBlocks(op.getK(), blocks)->columns;
    } else {
      product.activations = pairs ? "bf16" : writer.rounds ? "bf16 as f32" : "f32";
    }
    inputs.push_back({bufferOf(rows.front()), writer.time, writer.rounds});

    (isOne ? product.oneSplit : product.manySplit) = tile::stringifySplit(op.getSplit()).str();
    if (auto sharing = op.getSharing())
      product.sharing = {sharing->getEqual(),   sharing->getPanels(), sharing->getSingle(),
                         sharing->getStreams(), sharing->getAhead(),  bool(op.getTurns())};
    const int64_t parts = op.getEpilogue() == tile::Epilogue::GateSilu ? 2 : 1;
    if (auto blocking = op.getBlocking())
      product.blocking = {blocking->getDirect(),
                          blocking->getTogether(),
                          blocking->getRows(),
                          blocking->getBlock(),
                          blocking->getColumns(),
                          blocking->getPanels(),
                          blocking->getNumbered(parts),
                          op.getStrip() ? cast<MemRefType>(op.getStrip().getType()).getNumElements()
                                        : 0,
                          op->hasAttr("fours")};
    products.push_back(std::move(product));
    write(op.getOut(), {products.back().weight});
  }

  static std::string storedTypes(const PackedWeight &packed) {
    llvm::SmallSetVector<StringRef, 4> types;
    for (const std::vector<RowSource> &slice : packed.slices)
      for (const RowSource &source : slice)
        types.insert(storageTypeInfo(source.tensor->type).name);
    return llvm::join(types, ", ");
  }

  void addEmbedding(tile::EmbedOp op) {
    const PackedWeight &packed = packedOf(op.getTable());
    embedding = {packed.name,
                 packed.rows,
                 packed.k,
                 storedTypes(packed),
                 std::string(panelInfo(op.getFormat()).name),
                 packed.layerBytes() / wholePanels(packed.rows)};
  }

  void addAttention(tile::AttendOp op) {
    tile::KvLayoutAttr kv = op.getLayout();
    DescribedAttention attention;
    attention.kvHeads = kv.getKvHeads();
    attention.headDim = kv.getHeadDim();
    attention.heads = widthOf(op.getQueries()) / kv.getHeadDim();
    llvm::raw_string_ostream(attention.element) << kv.getElement();
    attention.page = kv.getPage();
    attention.segment = op.getSegment();
    attention.window = op.getWindow().value_or(0);
    attention.bytesOfPosition = kv.getPageBytes() / kv.getPage() / kv.getLayers();
    (isOne ? attention.oneSplit : attention.manySplit) = tile::stringifySplit(op.getSplit()).str();
    (isOne ? attention.oneRows : attention.manyRows) =
        cast<MemRefType>(op.getScratch().getType()).getDimSize(0);
    attentions.push_back(attention);
  }

  void addRouting(tile::RouteOp op) {
    DescribedRouting routing;
    routing.experts = widthOf(op.getLogits());
    routing.chosen = widthOf(op.getIds());
    routing.scoring = tile::stringifyScoring(op.getScoring()).str();
    routing.groups = op.getGroups().value_or(1);
    routing.groupLimit = op.getGroupLimit().value_or(1);
    routing.normalized = op.getNormalize().has_value();
    routing.biased = bool(op.getBias());
    routings.push_back(routing);
  }

  /// Products share a rounding if nothing was written between them to the rows that both read.
  void share() {
    for (size_t i = 0; i < products.size(); ++i)
      for (size_t j = 0; j < products.size(); ++j)
        if (i != j && inputs[i].rounded && inputs[i].buffer == inputs[j].buffer &&
            inputs[i].time == inputs[j].time)
          products[i].sharedWith.push_back(products[j].weight);
  }

  /// The two variants have the same products in the same order, as the functions before them had.
  void merge(DescribedFunction &result) {
    (isOne ? result.oneKernels : result.manyKernels) = kernels;
    (isOne ? result.oneBarriers : result.manyBarriers) = barriers;
    if (embedding)
      result.embedding = embedding;
    if (result.products.empty() && result.attentions.empty()) {
      result.products = std::move(products);
      result.attentions = std::move(attentions);
      result.routings = std::move(routings);
      return;
    }
    assert(products.size() == result.products.size() && "variants have the same products");
    for (auto [product, mine] : llvm::zip(result.products, products)) {
      if (isOne)
        product.oneSplit = mine.oneSplit;
      else
        product.manySplit = mine.manySplit;
      if (mine.blocking)
        product.blocking = mine.blocking;
    }
    for (auto [attention, mine] : llvm::zip(result.attentions, attentions)) {
      if (isOne) {
        attention.oneSplit = mine.oneSplit;
        attention.oneRows = mine.oneRows;
      } else {
        attention.manySplit = mine.manySplit;
        attention.manyRows = mine.manyRows;
      }
    }
    for (auto [routing, mine] : llvm::zip(result.routings, routings))
      routing.isSorted |= mine.isSorted;
  }

  /// The rows that a product reads: a buffer as it was at a time.
  struct Input {
    Value buffer;
    int64_t time;
    bool rounded;
  };

  func::FuncOp function;
  const std::vector<PackedWeight> &weights;
  bool isOne;
  int64_t time = 0, kernels = 0, barriers = 0;
  llvm::DenseMap<Value, Writer> writers;
  std::vector<DescribedProduct> products;
  std::vector<Input> inputs; // of the products
  std::vector<DescribedAttention> attentions;
  std::vector<DescribedRouting> routings;
  std::optional<DescribedEmbedding> embedding;
};

} // namespace

std::vector<DescribedFunction> describeSchedule(ModuleOp module,
                                                const std::vector<PackedWeight> &weights) {
  std::vector<DescribedFunction> functions;
  for (auto function : module.getOps<func::FuncOp>()) {
    StringRef name = function.getName();
    name.consume_back(cpu::kOne) || name.consume_back(cpu::kMany);
    auto known =
        llvm::find_if(functions, [&](const DescribedFunction &f) { return f.name == name; });
    if (known == functions.end()) {
      functions.emplace_back().name = name.str();
      known = std::prev(functions.end());
    }
    Reader(function, weights).run(*known);
  }
  return functions;
}

} // namespace moire
