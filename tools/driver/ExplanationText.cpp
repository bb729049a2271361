// An explanation as tables of Markdown and sentences.

#include "tools/driver/Explanation.h"

#include "tools/driver/Console.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Unicode.h"

namespace moire::driver {

namespace {
using Row = std::vector<std::string>;

/// A table of Markdown, aligned to be read as text, too. Columns without a cell are left out.
class Table {
public:
  explicit Table(Row titles) : rows{std::move(titles)} {}
  void add(Row row) { rows.push_back(std::move(row)); }
  std::string text() const {
    if (rows.size() == 1)
      return "";
    std::string text;
    for (size_t row = 0; row < rows.size(); ++row) {
      text += line(rows[row], ' ');
      if (row == 0)
        text += line(Row(rows[0].size()), '-');
    }
    return text;
  }

private:
  size_t width(size_t column) const {
    size_t most = 0;
    for (const Row &row : llvm::ArrayRef(rows).drop_front())
      most = std::max(most, columns(row[column]));
    return most == 0 ? 0 : std::max(most, columns(rows[0][column]));
  }

  static size_t columns(const std::string &text) {
    return std::max(llvm::sys::unicode::columnWidthUTF8(text), 0);
  }

  std::string line(const Row &cells, char fill) const {
    std::string text;
    for (size_t i = 0; i < cells.size(); ++i)
      if (size_t w = width(i))
        text += "| " + cells[i] + std::string(w - columns(cells[i]), fill) + " ";
    return text + "|\n";
  }

  std::vector<Row> rows; // the first one is the titles
};
} // namespace

static std::string fact(llvm::StringRef label, const std::string &text) {
  return llvm::formatv("{0,-22} {1}\n", label, text).str();
}

/// 1234567 as "1.23 M".
static std::string countText(double count) {
  const char *unit = "";
  for (const char *next : {" k", " M", " G", " T"}) {
    if (count < 999.5)
      break;
    count /= 1000;
    unit = next;
  }
  const char *form = !*unit || count >= 99.95 ? "{0:f0}{1}"
                     : count < 9.995          ? "{0:f2}{1}"
                                              : "{0:f1}{1}";
  return llvm::formatv(form, count, unit).str();
}

static std::string plural(int64_t count, llvm::StringRef what) {
  return llvm::formatv("{0} {1}{2}", count, what, count == 1 ? "" : "s").str();
}

/// "0 to 26", "0, 2, 4".
static std::string rangesText(llvm::ArrayRef<int64_t> numbers) {
  std::string text;
  for (size_t i = 0; i < numbers.size();) {
    size_t end = i + 1;
    while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1)
      ++end;
    text += (i ? ", " : "") + std::to_string(numbers[i]);
    if (end - i > 1)
      text += (end - i > 2 ? " to " : ", ") + std::to_string(numbers[end - 1]);
    i = end;
  }
  return text;
}

/// "layers 1 to 27", of the function that computes them.
static std::string placeText(const ExplainedPart &part) {
  if (part.layers.empty())
    return "before and behind the layers";
  return (part.layers.size() == 1 ? "layer " : "layers ") + rangesText(part.layers);
}

//===- Products -------------------------------------------------------------------------------===//

static std::string matrixText(const DescribedProduct &product) {
  std::string matrix = llvm::formatv("{0} x {1}", product.rows, product.k).str();
  return product.experts
             ? llvm::formatv("{0} of {1} x {2}", product.chosen, product.experts, matrix).str()
             : matrix;
}

static std::string rowsText(const DescribedProduct &product) {
  std::string text = product.activations;
  if (product.blockColumns)
    text += " by " + std::to_string(product.blockColumns);
  text += " of " + product.input;
  if (product.roundedApart)
    text += ", rounded apart";
  return text;
}

static std::string endText(const DescribedProduct &product) {
  std::string text = product.hasBias ? "bias, " : "";
  if (product.isSum)
    text += "weighted sum, ";
  if (product.epilogue == "accumulate")
    return text + "added to the residual";
  if (product.epilogue == "gate_silu")
    return text + "silu(gate) * up";
  if (product.epilogue == "store")
    return text + (product.isLogits ? "the logits" : "stored");
  return text + product.epilogue;
}

static std::string productTables(const DescribedFunction &function) {
  Table products(
      {"product", "matrix", "in the file", "packed", "rows", "instruction", "ends with", "bytes"});
  Table variants({"product", "one row", "few", "tile", "columns of a chunk", "block", "strip",
                  "equal shares", "a thread's turn"});
  for (const DescribedProduct &product : function.products) {
    products.add({product.weight, matrixText(product), product.stored, product.packed,
                  rowsText(product), product.instruction, endText(product),
                  sizeText(product.bytes)});
    Row variant = {product.weight, "", "", "", "", "", "", "all", ""};
    if (const std::optional<DescribedSharing> &sharing = product.sharing) {
      variant[1] = plural(sharing->streams, "panel") + " at once";
      if (sharing->ahead)
        variant[1] += ", " + sizeText(sharing->ahead) + " ahead";
      if (sharing->takesTurns) {
        variant[7] = sharing->equal ? "the first " + plural(sharing->equal, "panel") : "";
        variant[8] = plural(sharing->panels, "panel") + ", " +
                     std::to_string(product.blocking ? product.blocking->unit : 1) +
                     " of the last " + std::to_string(sharing->single);
      }
    }
    if (const std::optional<DescribedBlocking> &many = product.blocking) {
      variant[2] =
          many->direct > many->together ? std::to_string(many->together) + " at once, " : "";
      variant[2] += "up to " + std::to_string(many->direct);
      variant[3] = plural(many->rows, "row");
      if (many->panels > 1)
        variant[3] += " and " + plural(many->panels, "panel");
      variant[3] += many->byFours ? ", interleaved by fours" : "";
      variant[4] = many->stripBytes ? std::to_string(many->columns) : "as packed";
      variant[5] = plural(many->block, "row");
      variant[6] = many->stripBytes ? sizeText(many->stripBytes) : "";
    }
    variants.add(std::move(variant));
  }
  return products.text() + "\n" + variants.text() + "\n";
}

//===- Layers ---------------------------------------------------------------------------------===//

static std::string attentionText(const DescribedAttention &attention) {
  std::string text =
      llvm::formatv("{0} on {1} of keys and values, {2} wide; {3}, {4} bytes a position, in pages "
                    "of {5}",
                    plural(attention.heads, "head"), attention.kvHeads, attention.headDim,
                    attention.element == "i8" ? "int8" : attention.element,
                    attention.bytesOfPosition, attention.page)
          .str();
  if (attention.window)
    text += "; a token sees " + plural(attention.window, "position");
  return fact("attention", text) +
         fact("", llvm::formatv("one token: split by {0} of {1} positions, {2} a page", //
                                attention.oneSplit, attention.segment,
                                plural(attention.oneRows, "query row"))
                      .str()) +
         fact("", llvm::formatv("many: split by {0}, {1} a page", attention.manySplit,
                                plural(attention.manyRows, "query row"))
                      .str());
}

static std::string routingText(const DescribedRouting &routing) {
  std::string text =
      llvm::formatv("{0} of {1} experts by {2}", routing.chosen, routing.experts,
                    llvm::StringRef(routing.scoring) == "softmax_chosen" ? "softmax of the chosen"
                                                                         : routing.scoring)
          .str();
  if (routing.groups > 1)
    text += llvm::formatv(", in {0} of {1} groups", routing.groupLimit, routing.groups).str();
  text += routing.biased ? ", with a bias for the choice" : "";
  text += routing.normalized ? ", normalized" : "";
  text += routing.isSorted ? "; many tokens are sorted by expert" : "";
  return fact("routing", text);
}

static std::string partText(const ExplainedPart &part) {
  const DescribedFunction &function = part.function;
  std::string place = placeText(part);
  place[0] = llvm::toUpper(place[0]);
  std::string text = "\n## " + place + " (@" + function.name + ")\n\n";
  text += productTables(function);
  if (function.embedding) {
    const DescribedEmbedding &table = *function.embedding;
    text += fact("embedding",
                 llvm::formatv("{0} x {1}, {2} in the file, packed {3}, {4} a token", table.rows,
                               table.k, table.stored, table.packed, sizeText(table.bytesOfToken))
                     .str());
  }
  for (const DescribedAttention &attention : function.attentions)
    text += attentionText(attention);
  for (const DescribedRouting &routing : function.routings)
    text += routingText(routing);
  return text + fact("team", llvm::formatv("one token: {0}, {1}; many: {2}, {3}",
                                           plural(function.oneKernels, "kernel"),
                                           plural(function.oneBarriers, "barrier"),
                                           plural(function.manyKernels, "kernel"),
                                           plural(function.manyBarriers, "barrier"))
                                 .str());
}

//===- Steps ----------------------------------------------------------------------------------===//

/// The least time in milliseconds, and what bounds it.
static std::pair<std::string, std::string> idealText(const StepNeeds &needs,
                                                     const MachineLimits &limits) {
  const double memory = memorySeconds(needs, limits), operations = operationSeconds(needs, limits);
  if (memory == 0 || operations == 0)
    return {"unknown", ""};
  return {llvm::formatv("{0:f3}", 1e3 * std::max(memory, operations)).str(),
          memory > operations ? "bytes" : "operations"};
}

static std::string stepsText(const Explanation &explanation, const MachineLimits *limits) {
  Table table({"a token", "bytes", "int8 operations", "bf16 operations", "f32 operations",
               "ideal ms", "bound by"});
  auto count = [](double operations) { return operations > 0 ? countText(operations) : ""; };
  for (const ExplainedStep &step : stepsOf(explanation)) {
    auto [time, bound] =
        limits ? idealText(step.needs, *limits) : std::pair<std::string, std::string>();
    table.add({step.name, sizeText(static_cast<uint64_t>(step.needs.bytes + 0.5)),
               count(step.needs.int8), count(step.needs.bf16), count(step.needs.f32), time, bound});
  }
  return "\n## What a token needs at least\n\n" + table.text();
}

//===- Remarks --------------------------------------------------------------------------------===//

static std::string remarkText(const NotedRemark &remark) {
  std::string text = "- " + remark.pass + ": " + remark.text;
  if (remark.one != remark.many)
    text += remark.one ? ", for one token" : ", for many tokens";
  if (!remark.weights.empty())
    text += " (" + llvm::join(remark.weights, ", ") + ")";
  return text + "\n";
}

static std::string remarksText(const Explanation &explanation, bool done) {
  std::string text = done ? "\n## What was done\n" : "\n## What was not done, and why\n";
  auto add = [&](const std::string &place, llvm::StringRef function) {
    std::string here;
    for (const NotedRemark &remark : explanation.remarks)
      if (remark.done == done && remark.function == function)
        here += remarkText(remark);
    if (!here.empty())
      text += "\n" + place + ":\n\n" + here;
  };
  for (const ExplainedPart &part : explanation.parts)
    add(placeText(part), part.function.name);
  add("the model as a whole", "");
  return text;
}

//===- All of it ------------------------------------------------------------------------------===//

std::string explanationText(const Explanation &explanation, const MachineLimits *limits) {
  const Summary &summary = explanation.summary;
  std::string text = fact("architecture", explanation.architecture + " (described by " +
                                              explanation.description + ")");
  text += fact("layers", std::to_string(explanation.layers));
  text += fact("parameters", countText(static_cast<double>(summary.parameters)));
  text += fact("weights", llvm::formatv("{0}, {1} bits each, mostly {2}; packed {3}",
                                        sizeText(summary.weight_bytes),
                                        bitsText(summary.weight_bytes, summary.parameters),
                                        summary.main_type, sizeText(explanation.packed_bytes))
                              .str());
  text += fact("cpu", explanation.cpu + ": " + explanation.features);
  text += fact("activations", explanation.activations);
  text += fact("keys and values", explanation.kv);
  text +=
      "\nOne row of a product, and few together, are multiplied with panels as they are "
      "packed. Many "
      "go in blocks: for\neach a chunk of a panel is unpacked into the strip, where tiles of "
      "rows meet it. Threads share panels equally, then in turns; tiles of attention in turns.\n";
  for (const ExplainedPart &part : explanation.parts)
    text += partText(part);
  text += stepsText(explanation, limits);
  return text + remarksText(explanation, true) + remarksText(explanation, false);
}

} // namespace moire::driver
