// The words for mixtures of experts, and what is said of mistakes with them.

#include "ImportHelper.h"
#include "Samples.h"

#include "frontends/native/Config.h"
#include "frontends/native/Parser.h"

using namespace moire;

namespace {

/// A model with 8 experts in groups, of width 12, whose matrices lie in all kinds of tensors.
const char *const sample = R"(model tiny
match huggingface model_type = "tiny"
config
  layers from num_hidden_layers
  context from max_position_embeddings
  E from num_experts
  dense from dense_layers default none
before layers
  x = embed(tokens, table)
layer i
  q = rms_norm(x * q[i], q_norm, 1e-5)
  x = x + attention(q, x * k[i], x * v[i], 16) * o[i]
  w = route(x * router[i], 3, "sigmoid", 1e-20, 2.5, favor[i], 4, 2, "top2_sum")
  s = sigmoid(x * one[i]) * x
  x = x + experts(x, w, gate[i], up[i], down[i]) * 0.5 + s / 4
after layers
  logits = x * table
weights huggingface
  table = "table" [40, 24]
  q[i] = "{i}.q" [32, 24]
  k[i] = "{i}.k" [16, 24]
  v[i] = "{i}.v" [16, 24]
  o[i] = "{i}.o" [24, 32]
  q_norm = "q_norm" [16]
  router[i] = "{i}.router" [E, 24]
  favor[i] = "{i}.bias" [E] optional
  one[i] = "{i}.one" [1, 24]
  gate[i] = rows_from("{i}.gate_up", 0, of = 24) [E, 12, 24]
  up[i] = rows_from("{i}.gate_up", 12, of = 24) [E, 12, 24]
  down[i] = "{i}.{e}.down" [E, 24, 12]
)";

Container container() {
  Container c;
  c.kind = Container::Kind::HuggingFace;
  c.path = "tiny";
  setText(c, "model_type", "tiny");
  setNumber(c, "num_hidden_layers", 2);
  setNumber(c, "max_position_embeddings", 64);
  setNumber(c, "num_experts", 8);
  addTensor(c, "table", {40, 24});
  addTensor(c, "q_norm", {16});
  for (std::string layer : {"0.", "1."}) {
    addTensor(c, layer + "q", {32, 24});
    addTensor(c, layer + "k", {16, 24});
    addTensor(c, layer + "v", {16, 24});
    addTensor(c, layer + "o", {24, 32});
    addTensor(c, layer + "router", {8, 24});
    addTensor(c, layer + "bias", {8});
    addTensor(c, layer + "one", {1, 24});
    addTensor(c, layer + "gate_up", {8, 24, 24});
    for (int e = 0; e < 8; ++e)
      addTensor(c, layer + std::to_string(e) + ".down", {24, 12});
  }
  return c;
}

std::string changed(const std::string &from, const std::string &to) {
  return replaced(sample, from, to);
}

/// The model that `text` makes of `c`; if there is none, `message` says why.
Model applied(const std::string &text, const Container &c, std::string &message) {
  ReadError error;
  Model model;
  auto description = parseDescription("m.moire", text, error);
  if (!description || !applyDescription(*description, c, Weights::Needed, model, error))
    message = error.message;
  return model;
}

/// The steps of layer 0.
std::vector<Step> steps(const std::string &text, const Container &c = container()) {
  std::string message;
  Model model = applied(text, c, message);
  EXPECT_EQ(message, "");
  return model.classes.empty() ? std::vector<Step>() : model.classes[0].body.steps;
}

std::vector<Step> ofKind(const std::vector<Step> &steps, Step::Kind kind) {
  std::vector<Step> found;
  for (const Step &step : steps)
    if (step.kind == kind)
      found.push_back(step);
  return found;
}

} // namespace

TEST(Experts, EveryArgumentOfARoute) {
  std::vector<Step> all = steps(sample);
  std::vector<Step> routes = ofKind(all, Step::Kind::Route);
  ASSERT_EQ(routes.size(), 1u);
  const Routing &routing = routes[0].routing;
  EXPECT_EQ(routing.scores, Routing::Scores::Sigmoid);
  EXPECT_EQ(routing.experts, 8);
  EXPECT_EQ(routing.top, 3);
  EXPECT_EQ(routing.normalize, 1e-20);
  EXPECT_EQ(routing.scaling, 2.5);
  EXPECT_EQ(routing.groups, 4);
  EXPECT_EQ(routing.group_limit, 2);
  EXPECT_EQ(routing.group_score, Routing::GroupScore::Top2Sum);
  EXPECT_EQ(routes[0].weights.size(), 1u);
  std::vector<Step> experts = ofKind(all, Step::Kind::Experts);
  ASSERT_EQ(experts.size(), 1u);
  EXPECT_TRUE(experts[0].gated);
  EXPECT_EQ(experts[0].width, 24);
}

TEST(Experts, WhatARouteHasWithoutSaying) {
  std::vector<Step> routes = ofKind(
      steps(changed(", 1e-20, 2.5, favor[i], 4, 2, \"top2_sum\")", ")") + "  ignore \"*.bias\"\n"),
      Step::Kind::Route);
  ASSERT_EQ(routes.size(), 1u);
  EXPECT_FALSE(routes[0].routing.normalize);
  EXPECT_EQ(routes[0].routing.scaling, 1);
  EXPECT_EQ(routes[0].routing.groups, 1);
  EXPECT_TRUE(routes[0].weights.empty());
}

TEST(Experts, AnAbsentBiasIsNone) {
  Container c = container();
  c.tensors.erase("0.bias");
  c.tensors.erase("1.bias");
  EXPECT_TRUE(ofKind(steps(sample, c), Step::Kind::Route)[0].weights.empty());
}

TEST(Experts, PlainExpertsHaveNoGate) {
  std::vector<Step> experts =
      ofKind(steps(changed("w, gate[i], up[i]", "w, none, up[i]")), Step::Kind::Experts);
  ASSERT_EQ(experts.size(), 1u);
  EXPECT_FALSE(experts[0].gated);
  EXPECT_EQ(experts[0].weights.size(), 2u);
}

TEST(Experts, RowsTimesNumbersAndSigmoids) {
  std::vector<Step> all = steps(sample);
  std::vector<Step> scales = ofKind(all, Step::Kind::Scale), gates = ofKind(all, Step::Kind::Gate);
  ASSERT_EQ(scales.size(), 2u);
  EXPECT_EQ(scales[0].factor, 0.5);
  EXPECT_EQ(scales[1].factor, 0.25);
  ASSERT_EQ(gates.size(), 1u);
  EXPECT_EQ(gates[0].activation, Step::Activation::Sigmoid);
  EXPECT_EQ(gates[0].width, 24);
  // The other way round is the same, and times 1 is nothing.
  std::vector<Step> turned = steps(changed("sigmoid(x * one[i]) * x", "x * sigmoid(x * one[i])"));
  EXPECT_EQ(ofKind(turned, Step::Kind::Gate)[0].inputs, gates[0].inputs);
  EXPECT_EQ(ofKind(steps(changed(" * 0.5 + s / 4", " * 1 + 3 * s")), Step::Kind::Scale).size(), 1u);
}

TEST(Experts, PackedRowsOfAMatrix) {
  std::string message;
  Container c = container();
  c.tensors.erase("0.k");
  c.tensors.erase("0.v");
  c.tensors.erase("1.k");
  c.tensors.erase("1.v");
  addTensor(c, "0.kv", {32, 24});
  addTensor(c, "1.kv", {32, 24});
  std::string text = changed("\"{i}.k\"", "rows_from(\"{i}.kv\", 0, of = 2 * 16)");
  text.replace(text.find("\"{i}.v\""), 7, "rows_from(\"{i}.kv\", 16, of = 32)");
  Model model = applied(text, c, message);
  ASSERT_EQ(message, "");
  std::vector<int64_t> firstRows;
  for (const WeightUse &weight : model.classes[0].body.weights)
    if (weight.pattern == "{i}.kv")
      firstRows.push_back(weight.first_row);
  EXPECT_EQ(firstRows, (std::vector<int64_t>{0, 16}));
}

TEST(Experts, GroupsOfAConfigWithoutThem) {
  std::vector<Step> routes =
      ofKind(steps(changed("4, 2, \"top2_sum\"", "none, none, \"top2_sum\"")), Step::Kind::Route);
  ASSERT_EQ(routes.size(), 1u);
  EXPECT_EQ(routes[0].routing.groups, 1);
}

TEST(Experts, OneWeightOfTwoLayers) {
  ReadError error;
  std::string text = changed("x * one[i]", "x * one[i] + x * one[1 - i] + x * one[1]");
  auto description = parseDescription("m.moire", text, error);
  ASSERT_TRUE(description) << error.message;
  Model model;
  ASSERT_TRUE(applyDescription(*description, container(), Weights::Needed, model, error))
      << error.message;
  mlir::MLIRContext context;
  auto module = buildModule(context, model, "m.moire", {});
  ASSERT_TRUE(module && mlir::succeeded(mlir::verify(*module)));
  std::string ir;
  llvm::raw_string_ostream(ir) << *module;
  EXPECT_CONTAINS(ir, "@layer_0.one : tensor<1x1x24xbf16> = #moe.source<\"{i}.one\", layers = [0]");
  EXPECT_CONTAINS(ir,
                  "@layer_0.one.2 : tensor<1x1x24xbf16> = #moe.source<\"{i}.one\", layers = [1]");
  EXPECT_CONTAINS(ir, "moe.read @layer_0.one.2[");
}

TEST(Experts, RoutesOutsideOfLayersAreNotHandedOut) {
  ReadError error;
  std::string text = changed("  logits = x * table", R"(  w = route(x * router[0], 3, "softmax")
  x = x + experts(x, w, gate[0], up[0], down[0])
  logits = x * table)");
  auto description = parseDescription("m.moire", text, error);
  ASSERT_TRUE(description) << error.message;
  Model model;
  ASSERT_TRUE(applyDescription(*description, container(), Weights::Needed, model, error))
      << error.message;
  mlir::MLIRContext context;
  ImportOptions options;
  options.keepRoute = true;
  auto module = buildModule(context, model, "m.moire", options);
  ASSERT_TRUE(module && mlir::succeeded(mlir::verify(*module)));
  std::string ir;
  llvm::raw_string_ostream(ir) << *module;
  EXPECT_EQ(countOf(ir, "moe.tap_route"), model.classes.size());
  EXPECT_CONTAINS(ir, "@router.0 : tensor<8x24xbf16> = #moe.source<\"0.router\">");
  EXPECT_CONTAINS(ir, "@down.0 : tensor<8x24x12xbf16> = #moe.source<\"0.{e}.down\", experts = 8>");
}

TEST(Experts, LayersOfAList) {
  std::string text =
      changed("layer i\n", "layer i when contains(dense, i)\n"
                           "  x = x + attention(x * q[i], x * k[i], x * v[i], 16) * o[i]\n"
                           "layer i otherwise\n");
  std::string message;
  EXPECT_EQ(applied(text, container(), message).classes.size(), 1u);
  Container c = container();
  setKey(c, "dense_layers", {MetadataValue::List{{int64_t(1)}, {int64_t(7)}}});
  EXPECT_EQ(applied(text + "  ignore \"1.*\"\n", c, message).classes.size(), 2u);
  EXPECT_EQ(message, "");
  setNumber(c, "dense_layers", 3);
  applied(text, c, message);
  EXPECT_CONTAINS(message, "`list` expects a list or none; found: 3");
}

TEST(Experts, MatchLinesCanExclude) {
  std::string text =
      changed("model_type = \"tiny\"", "model_type != \"large\" and experts != none");
  std::string message;
  ReadError error;
  auto description = parseDescription("m.moire", text, error);
  ASSERT_TRUE(description) << error.message;
  Container c = container();
  EXPECT_FALSE(matches(*description, c, /*fallback=*/false));
  setNumber(c, "experts", 1);
  EXPECT_TRUE(matches(*description, c, /*fallback=*/false));
  setText(c, "model_type", "large");
  EXPECT_FALSE(matches(*description, c, /*fallback=*/false));
}

TEST(ExpertsErrors, Descriptions) {
  struct Case {
    const char *from, *to, *message;
  };
  const Case cases[] = {
      {"\"{i}.{e}.down\" [E, 24, 12]", "\"{i}.{e}.down\" [24, 12]",
       "`down` then has three dimensions, [experts, rows, columns]"},
      {"\"{i}.{e}.down\"", "\"{i}.{e}.{e}.down\"", "only one \"{e}\" may stand in a name"},
      {"\"{i}.{e}.down\"", "\"{e}.down\"", "\"{i}\" must stand where the number belongs"},
      {"\"{i}.{e}.down\"", "\"{i}.{i}.{e}.down\"", "only one \"{i}\" may stand in a name"},
      {"\"{i}.{e}.down\"", "\"{i}.{e}.{x}.down\"",
       "\"{x}\" stands for nothing; \"{i}\" is the layer's number, \"{e}\" is an expert's"},
      {"\"table\" [40, 24]", "\"{layer}.table\" [40, 24]",
       "\"{layer}\" stands for nothing; \"{e}\" is an expert's"},
      {"\"table\" [40, 24]", "\"{e}.table\" [40, 24]", "`table` then has three dimensions"},
      {"\"{i}.{e}.down\" [E, 24, 12]", "\"{i}.{e}.weight\" [E, 24, 12] with bias",
       "only a matrix has a bias"},
      {"\"{i}.{e}.down\"", "unpermute_rope(\"{i}.{e}.down\", 2)",
       "only rows of one matrix or vector are unpermuted"},
      {"\"q_norm\" [16]", "rows_from(\"q_norm\", 0, of = 16) [16]",
       "only of matrices there can be rows"},
      {"\"{i}.q\" [32, 24]", "rows_from(\"q.weight\", 0, of = 64) [32, 24] with bias",
       "`with bias` expects a matrix that is a whole tensor"},
      {"0, of = 24)", "0, 24)", "expected `of`; found: `24`"},
      {"0, of = 24)", "0)", "expected `,`; found: `)`"},
      {"route(x * router[i], 3, \"sigmoid\", 1e-20", "route(x * router[i], 3, eps = 1e-20",
       "`route(logits, top, scores, normalize, scaling, choice_bias, groups, group_limit, "
       "group_score)` has no `eps`"},
      {"route(x * router[i], 3, \"sigmoid\", 1e-20, 2.5, favor[i], 4, 2, \"top2_sum\")",
       "route(x * router[i], 3)", "`scores` is missing"},
  };
  for (const Case &test : cases) {
    ReadError error;
    EXPECT_FALSE(parseDescription("m.moire", changed(test.from, test.to), error)) << test.to;
    EXPECT_CONTAINS(error.message, test.message);
  }
}

TEST(ExpertsErrors, Shapes) {
  struct Case {
    const char *from, *to, *message;
  };
  const Case cases[] = {
      {"route(x * router[i], 3", "route(w, 3", "`w` is not defined"},
      {"route(x * router[i], 3", "route(x * router[i], 9",
       "m.moire:13:28: error: `top` of `route` is at most the number of experts, 8; found: 9"},
      {"\"sigmoid\", ", "\"sigmoidal\", ",
       "`scores` of `route` is \"softmax\" or \"sigmoid\" or \"softmax_chosen\"; found: "
       "\"sigmoidal\""},
      {"1e-20", "-1", "`normalize` of `route` is a number, 0 or more; found: -1"},
      {"2.5", "0", "`scaling` of `route` is a number above 0; found: 0"},
      {"favor[i]", "q_norm", "`choice_bias` of `route` is a weight [8]; found: `q_norm` [16]"},
      {"4, 2, \"top2_sum\"", "3, 2, \"top2_sum\"",
       "`groups` of `route` is a divisor of the number of experts, 8; found: 3"},
      {"4, 2, \"top2_sum\"", "4, 5, \"max\"",
       "`group_limit` of `route` is at most `groups`, 4; found: 5"},
      {"4, 2, \"top2_sum\"", "4, 1, \"max\"",
       "`group_limit` of `route` is enough groups of 2 for 3 experts; found: 1"},
      {"4, 2, \"top2_sum\"", "4", "`groups` of `route` needs `group_limit`, which is missing"},
      {"4, 2, \"top2_sum\"", "none, 2, \"top2_sum\"",
       "`group_limit` of `route` needs `groups`, which is none"},
      {"4, 2, \"top2_sum\"", "group_score = \"max\"",
       "`group_score` of `route` needs `groups`, which is missing"},
      {"1e-20, 2.5", "1e-20, 1e300", "`scaling` of `route` is too large; found: 1e+300"},
      {"1e-20, 2.5", "1e300, 2.5", "`normalize` of `route` is too large; found: 1e+300"},
      {"q_norm, 1e-5", "q_norm, 1e39", "`eps` of `rms_norm` is too large"},
      {"x * v[i], 16)", "x * v[i], 16, scale = 1e300)", "`scale` of `attention` is too large"},
      {"attention(q,", "attention(rope(q, 16, 1e300),", "`base` of `rope` is too large"},
      {"attention(q,", "attention(rope(q, 16, 10, 16, linear_scaling(1e300)),",
       "`factor` expects a smaller number; found: 1e+300"},
      {"+ s / 4", "+ s / 0", "error: division by 0"},
      {"4, 2, \"top2_sum\"", "8, 4, \"top2_sum\"",
       "`group_score` of `route` is \"max\" for groups of one expert; found: \"top2_sum\""},
      {"4, 2, \"top2_sum\"", "4, 2, \"mean\"",
       "`group_score` of `route` is \"max\" or \"top2_sum\"; found: \"mean\""},
      {"experts(x, w,", "experts(x, x,",
       "`routing` of `experts` is what `route(…)` gives; found: rows of 24"},
      {"experts(x, w,", "experts(w, w,", "`x` of `experts` is rows; found: a routing to 8 experts"},
      {"w, gate[i], up[i]", "w, q[i], up[i]",
       "`gate` of `experts` is the matrices of 8 experts [8, any, 24]; found: `q` [32, 24]"},
      {"w, gate[i], up[i]", "w, gate[i], down[i]",
       "`up` of `experts` is the matrices of 8 experts [8, 12, 24], as `gate`; found: `down` [8, "
       "24, "
       "12]"},
      {"up[i], down[i]", "up[i], up[i]",
       "`down` of `experts` is the matrices of 8 experts [8, any, 12]; found: `up` [8, 12, 24]"},
      {"x + experts(", "x + w + experts(", "`+` of rows of 24 and a routing to 8 experts"},
      {"x = x + experts(x, w, gate[i], up[i], down[i])", "x = x + x * gate[i]",
       "rows of 24 are multiplied by a matrix [any, 24]; found: `gate` [8, 12, 24]"},
      {"sigmoid(x * one[i])", "sigmoid(w)", "`x` of `sigmoid` is rows; found: a routing"},
      {"sigmoid(x * one[i]) * x", "sigmoid(x * q[i]) * x",
       "a sigmoid of rows of 32 multiplies rows of 24; it must have one number a row, or as many "
       "as "
       "they"},
      {"sigmoid(x * one[i]) * x", "sigmoid(x)\n  s = s + x",
       "`+` of a sigmoid of rows of 24 and rows of 24"},
      {"\"{i}.gate_up\", 12", "\"{i}.gate_up\", 13",
       "rows 13 to 13 + 12 of 24: there are no such rows"},
      {"\"{i}.gate_up\", 12", "\"{i}.gate_up\", -1", "there are no such rows"},
      {"0, of = 24)", "0, of = 36)",
       "the description expects [8, 36, 24]; found: [8, 24, 24] in the tensor \"0.gate_up\""},
  };
  for (const Case &test : cases) {
    std::string message;
    applied(changed(test.from, test.to), container(), message);
    EXPECT_CONTAINS(message, test.message);
  }
}

TEST(ExpertsErrors, AGainDividesTheRow) {
  std::string message;
  Container c = container();
  c.tensors["q_norm"].shape = {12};
  applied(changed("\"q_norm\" [16]", "\"q_norm\" [12]"), c, message);
  EXPECT_CONTAINS(message, "`gain` of `rms_norm` is a weight [32], or of heads that divide it; "
                           "found: `q_norm` [12]");
}

TEST(ExpertsErrors, SizesBeyondAllModels) {
  std::string message;
  Container c = container();
  c.tensors.clear();
  setNumber(c, "num_experts", int64_t(1) << 30);
  applied(changed("[E, 12, 24]", "[E, 2048, 24]"), c, message);
  EXPECT_CONTAINS(message, "a weight has at most 2^40 elements");
}
