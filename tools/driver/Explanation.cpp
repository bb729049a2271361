#include "tools/driver/Explanation.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

namespace moire::driver {

std::vector<ExplainedStep> stepsOf(const Explanation &explanation) {
  constexpr int64_t someDepth = 4096, prompt = 512;
  std::vector<ExplainedStep> steps;
  auto add = [&](const std::string &name, StepShape shape) {
    StepNeeds needs = needsOf(explanation.work, shape);
    for (double *number : {&needs.f32, &needs.bf16, &needs.int8, &needs.bytes})
      *number /= static_cast<double>(shape.tokens);
    steps.push_back({name, shape, needs});
  };
  const int64_t deepest = explanation.context - 1;
  add("the first", {});
  for (int64_t depth : {std::min(someDepth, deepest), deepest})
    if (depth > steps.back().shape.depth)
      add(llvm::formatv("behind {0} others", depth), {.depth = depth});
  if (int64_t tokens = std::min(prompt, explanation.context); tokens > 1)
    add(llvm::formatv("of a prompt of {0}", tokens), {.tokens = tokens});
  return steps;
}

static llvm::json::Array list(llvm::ArrayRef<std::string> texts) {
  llvm::json::Array array;
  for (const std::string &text : texts)
    array.push_back(text);
  return array;
}

static llvm::json::Object productJson(const DescribedProduct &product) {
  llvm::json::Object object{{"weight", product.weight},
                            {"rows", product.rows},
                            {"columns", product.k},
                            {"stored", product.stored},
                            {"packed", product.packed},
                            {"bytes", product.bytes},
                            {"instruction", product.instruction},
                            {"activations", product.activations},
                            {"input", product.input},
                            {"rounded_apart", product.roundedApart},
                            {"shares_rows_with", list(product.sharedWith)},
                            {"epilogue", product.epilogue},
                            {"bias", product.hasBias},
                            {"logits", product.isLogits},
                            {"one", llvm::json::Object{{"split", product.oneSplit}}}};
  if (product.experts) {
    object["experts"] = product.experts;
    object["chosen"] = product.chosen;
    object["weighted_sum"] = product.isSum;
  }
  if (product.blockColumns)
    object["activation_block"] = product.blockColumns;
  if (product.sharing)
    object["sharing"] = llvm::json::Object{
        {"equal", product.sharing->equal},   {"panels", product.sharing->panels},
        {"single", product.sharing->single}, {"streams", product.sharing->streams},
        {"ahead", product.sharing->ahead},   {"turns", product.sharing->takesTurns}};
  llvm::json::Object many{{"split", product.manySplit}};
  if (product.blocking) {
    many["direct"] = product.blocking->direct;
    many["together"] = product.blocking->together;
    many["rows"] = product.blocking->rows;
    many["block"] = product.blocking->block;
    many["columns"] = product.blocking->columns;
    many["panels"] = product.blocking->panels;
    many["strip_bytes"] = product.blocking->stripBytes;
    many["by_fours"] = product.blocking->byFours;
  }
  object["many"] = std::move(many);
  return object;
}

static llvm::json::Object attentionJson(const DescribedAttention &attention) {
  return llvm::json::Object{
      {"heads", attention.heads},
      {"kv_heads", attention.kvHeads},
      {"head_dim", attention.headDim},
      {"element", attention.element},
      {"page", attention.page},
      {"segment", attention.segment},
      {"window", attention.window},
      {"bytes_of_position", attention.bytesOfPosition},
      {"one", llvm::json::Object{{"split", attention.oneSplit}, {"rows", attention.oneRows}}},
      {"many", llvm::json::Object{{"split", attention.manySplit}, {"rows", attention.manyRows}}}};
}

static llvm::json::Object routingJson(const DescribedRouting &routing) {
  return llvm::json::Object{{"experts", routing.experts},        {"chosen", routing.chosen},
                            {"scoring", routing.scoring},        {"groups", routing.groups},
                            {"group_limit", routing.groupLimit}, {"normalized", routing.normalized},
                            {"biased", routing.biased},          {"sorted", routing.isSorted}};
}

static llvm::json::Object partJson(const ExplainedPart &part) {
  const DescribedFunction &function = part.function;
  auto variant = [](int64_t kernels, int64_t barriers) {
    return llvm::json::Object{{"kernels", kernels}, {"barriers", barriers}};
  };
  llvm::json::Array products, attentions, routings;
  for (const DescribedProduct &product : function.products)
    products.push_back(productJson(product));
  for (const DescribedAttention &attention : function.attentions)
    attentions.push_back(attentionJson(attention));
  for (const DescribedRouting &routing : function.routings)
    routings.push_back(routingJson(routing));
  llvm::json::Object object{{"function", function.name},
                            {"layers", llvm::json::Array(part.layers)},
                            {"products", std::move(products)},
                            {"attention", std::move(attentions)},
                            {"routing", std::move(routings)},
                            {"one", variant(function.oneKernels, function.oneBarriers)},
                            {"many", variant(function.manyKernels, function.manyBarriers)}};
  if (const auto &table = function.embedding)
    object["embedding"] = llvm::json::Object{
        {"weight", table->weight}, {"rows", table->rows},     {"columns", table->k},
        {"stored", table->stored}, {"packed", table->packed}, {"token_bytes", table->bytesOfToken}};
  return object;
}

static llvm::json::Object stepJson(const ExplainedStep &step, const MachineLimits *limits) {
  llvm::json::Object object{{"tokens", step.shape.tokens}, {"depth", step.shape.depth},
                            {"bytes", step.needs.bytes},   {"int8", step.needs.int8},
                            {"bf16", step.needs.bf16},     {"f32", step.needs.f32}};
  if (limits) {
    object["memory_seconds"] = memorySeconds(step.needs, *limits);
    object["operation_seconds"] = operationSeconds(step.needs, *limits);
  }
  return object;
}

std::string explanationJson(const Explanation &explanation, const MachineLimits *limits) {
  llvm::json::Array parts, steps, remarks;
  for (const ExplainedPart &part : explanation.parts)
    parts.push_back(partJson(part));
  for (const ExplainedStep &step : stepsOf(explanation))
    steps.push_back(stepJson(step, limits));
  for (const NotedRemark &remark : explanation.remarks) {
    llvm::json::Object object{{"done", remark.done},
                              {"pass", remark.pass},
                              {"function", remark.function},
                              {"text", remark.text},
                              {"weights", list(remark.weights)}};
    if (remark.one != remark.many)
      object["variant"] = remark.one ? "one" : "many";
    remarks.push_back(std::move(object));
  }
  llvm::json::Object object{{"architecture", explanation.architecture},
                            {"description", explanation.description},
                            {"layers", explanation.layers},
                            {"context", explanation.context},
                            {"parameters", explanation.summary.parameters},
                            {"type", explanation.summary.main_type},
                            {"weight_bytes", explanation.summary.weight_bytes},
                            {"packed_bytes", explanation.packed_bytes},
                            {"cpu", explanation.cpu},
                            {"activations", explanation.activations},
                            {"kv_type", explanation.kv},
                            {"parts", std::move(parts)},
                            {"tokens", std::move(steps)},
                            {"remarks", std::move(remarks)}};
  return llvm::formatv("{0:2}\n", llvm::json::Value(std::move(object))).str();
}

} // namespace moire::driver
