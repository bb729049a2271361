// What the language says of mistakes.

#include "DescriptionHelper.h"

using namespace moire;

//===- Mistakes of syntax ------------------------------------------------------------===//

TEST(DescriptionErrors, Syntax) {
  struct Case {
    const char *from, *to, *message;
  };
  const Case cases[] = {
      {"model tiny", "modle tiny", "m.moire:1:1: error: expected `model`, `match`"},
      {"model tiny", "model",
       "1:6: error: expected the name of the architecture; found: the line ends"},
      {"model tiny", "model 7", "expected the name of the architecture; found: `7`"},
      {"model tiny", "model tiny\nmodel two", "2:7: error: a second `model`"},
      {"model tiny", "  model tiny", "an indented line that belongs to no section"},
      {"match huggingface", "match onnx",
       "2:7: error: expected `huggingface` or `gguf`; found: `onnx`"},
      {"= \"tiny\"", "\"tiny\"", "expected `=`; found: \"tiny\""},
      {"= \"tiny\"", "= tiny", "expected a value; found: `tiny`"},
      {"config\n", "config tiny\n", "expected the end of the line; found: `tiny`"},
      {"layers from", "layers", "expected `from` and a key, or `=` and a value"},
      {"layers from", "when from", "`when` is a word of the language"},
      {"layers from", "a.b from", "a name has no dots"},
      {"  d from hidden_size", "   d from hidden_size",
       "6:4: error: this line is indented by 3 spaces"},
      {"  d from hidden_size", "  d = choose V", "`choose` without cases"},
      {"  d from hidden_size", "  d = choose V\n    1 7", "expected `:`; found: `7`"},
      {"  d from hidden_size", "\td from hidden_size", "6:1: error: a tab"},
      {"hidden_size", "hidden_size default", "expected a value; found: the line ends"},
      {"tokens, table)", "tokens, table", "9:12: error: this \"(\" is never closed"},
      {"tokens, table)", "tokens, table))", "no open \"(\" for this \")\""},
      {"tokens, table)", "tokens, table]", "no open \"[\" for this \"]\""},
      {"1e-5)", "1e999)", "the number is too large"},
      {"16) * o", "16 * o", "never closed"},
      {"16) * o", "99999999999999999999) * o", "the number is too large"},
      {"16) * o", "16x) * o", "a letter in a number"},
      {"\"table\"", "\"table", "16:11: error: the string has no closing quote"},
      {"= \"table\"", "= 7",
       "expected a tensor's name in quotes, `unpermute_rope`, `rows_from` or another weight"},
      {"\"table\" [V, d]", "\"table\" [V, d] with", "expected `bias`"},
      {"\"table\" [V, d]", "\"table\" [V; d]", "unexpected character \";\""},
      {"\"table\" [V, d]", "\"table\" [V, d] € €", "unexpected character \"\\xe2\\x82\\xac\""},
      {"layer i\n", "layer\n", "expected the layer's name, as in `layer i`"},
      {"layer i\n", "layer i when i = 1\n", "expected `==` for a comparison; found: `=`"},
      {"before layers", "before", "expected `layers`; found: the line ends"},
      {"weights huggingface\n", "weights huggingface\nweights huggingface\n",
       "a second `weights huggingface`"},
      {"layer i\n", "part p(\nlayer i\n", "expected a parameter's name"},
      {"config\n", "require 1 == 1\nconfig\n", "expected `,`"},
      {"config\n", "require 1 == 1, \"\"\n  more\nconfig\n",
       "an indented line below a section that is one line long"},
  };
  for (const Case &test : cases)
    EXPECT_CONTAINS(parseError(changed(test.from, test.to)), test.message);
}

TEST(DescriptionErrors, SeveralAtOnceWithSourceLines) {
  std::string text = changed("embed(tokens, table)", "embd(tokens, tabel)");
  EXPECT_CONTAINS(parseError(text),
                  "m.moire:9:7: error: `embd` is no word of the vocabulary (did you "
                  "mean \"embed\"?)\n"
                  "    x = embd(tokens, tabel)\n"
                  "        ^~~~\n"
                  "m.moire:9:20: error: `tabel` is not defined (did you mean "
                  "\"table\"?)\n"
                  "    x = embd(tokens, tabel)\n"
                  "                     ^~~~~");
}

TEST(DescriptionErrors, DeepAndLongExpressions) {
  std::string deep(5000, '('), close(5000, ')'), minus(5000, '-'), sum = "1";
  for (int n = 0; n < 5000; ++n)
    sum += " + 1";
  EXPECT_CONTAINS(parseError(changed("16)", deep + "16" + close + ")")), "nest at most 32 deep");
  EXPECT_CONTAINS(parseError(changed("16)", minus + "16)")), "nest at most 32 deep");
  EXPECT_CONTAINS(parseError(changed("16)", sum + ")")), "at most 64 operators");
}

TEST(DescriptionErrors, ChainsAndFloods) {
  std::string chain = "  n0 = 1\n", parts = "part p0()\n  x = x\n";
  for (int n = 1; n < 40; ++n) {
    std::string last = std::to_string(n - 1), next = std::to_string(n);
    chain += "  n" + next + " = n" + last + "\n";
    parts += "part p" + next + "()\n  p" + last + "()\n  p" + last + "()\n";
  }
  EXPECT_CONTAINS(applyError(changed("  V from", chain + "  V from") + "require n39 == 1, \"\"\n"),
                  "`n7` hangs on a chain of more than 32 names");
  EXPECT_CONTAINS(applyError(changed("layer i\n", parts + "layer i\n  p39()\n")),
                  "parts call one another more than 16 deep");
  EXPECT_CONTAINS(applyError(changed("layer i\n", parts + "layer i\n  p14()\n")),
                  "more than 10000 lines to run in one layer");
  EXPECT_CONTAINS(parseError(std::string(70000, '#')), "larger than a description can be");
}

//===- Mistakes of names ------------------------------------------------------------===//

TEST(DescriptionErrors, Names) {
  struct Case {
    const char *from, *to, *message;
  };
  const Case cases[] = {
      {"model tiny\n", "", "`model` and the architecture's name are missing"},
      {"match huggingface model_type = \"tiny\"\n", "", "no `match` says which models"},
      {"match huggingface", "match gguf", "2:7: error: `weights gguf` is missing"},
      {"  layers from num_hidden_layers\n", "", "`config` must define `layers`"},
      {"  context from max_position_embeddings\n", "", "`config` must define `context`"},
      {"before layers\n  x = embed(tokens, table)\n", "", "`before layers` is missing"},
      {"  x = embed", "  y = embed", "the last lines must make `x`"},
      {"  V from vocab_size", "  V = W\n  W from vocab_size",
       "`W` is defined only after this line"},
      {"  V from vocab_size", "  d from vocab_size", "`d` is a name of `config` already"},
      {"  V from vocab_size", "  V from vocab_size\n  rope = 1",
       "`rope` is a word of the vocabulary"},
      {"  V from vocab_size", "  V from vocab_size\n  x = 1", "`x` has a meaning of its own"},
      {"  h = rms_norm(", "  d = rms_norm(", "`d` is a name of `config` already"},
      {"norm[i], 1e-5", "norms[i], 1e-5", "`norms` is not defined (did you mean \"norm\"?)"},
      {"norm[i], 1e-5", "norm, 1e-5", "`norm` is one tensor a layer: write norm[i]"},
      {"embed(tokens, table)", "embed(tokens, table[0])",
       "`table` is one tensor for the whole model"},
      {"norm[i], 1e-5", "norm[i]", "`eps` is missing; expected `rms_norm(x, gain, eps)`"},
      {"norm[i], 1e-5", "norm[i], 1e-5, 7", "too many arguments"},
      {"norm[i], 1e-5", "norm[i], epsilon = 1e-5", "has no `epsilon`"},
      {"norm[i], 1e-5", "norm[i], 1e-5, eps = 1", "`eps` is given twice"},
      {"norm[i], 1e-5", "gain = norm[i], 1e-5", "an argument by position after one by name"},
      {"  h = rms_norm(x, norm[i], 1e-5)\n", "  rms_norm(x, norm[i], 1e-5)\n",
       "the result of `rms_norm` is lost"},
      {"  h = rms_norm(x, norm[i], 1e-5)\n", "  block(i)\n", "no part `block` before this line"},
      {"layer i\n", "part p(i)\n  x = x + x\nlayer i\n  p(i, 2)\n", "`p` takes 1 values; found: 2"},
      {"layer i\n", "part p(i)\n  x = x + x\nlayer i\n  h = p(i)\n",
       "`p` is a part: it stands in a line of its own"},
      {"  d from hidden_size", "  d = rms_norm(1, 2, 3)",
       "`rms_norm` works on rows; here stand plain values"},
      {"  last = \"last\" [d]\n", "", "`last` is not defined"},
      {"\"last\" [d]", "\"last\" [d]\n  last = \"other\" [d]",
       "an earlier line says what `last` is"},
      {"\"last\" [d]", "lost", "`lost` is no weight (did you mean \"last\"?)"},
      {"\"last\" [d]", "norm", "only weights of the whole model stand for one another"},
      {"\"last\" [d]", "\"last\" [d, d, d, d]", "one or two dimensions, or three"},
      {"last = \"last\"", "forward = \"last\"", "`forward` is a function of the compiled program"},
      {"last = \"last\"", "layer_7 = \"last\"", "`layer_7` is a function of the compiled program"},
      {"o[i] = \"{i}.o\" [d, 32]",
       "o[i] = \"{i}.o.weight\" [d, 32] with bias\n  o_bias = \"b\" [d]",
       "`o_bias` is the bias of `o` already"},
      {"\"last\" [d]", "\"last.weight\" [d] with bias", "only a matrix has a bias"},
      {"\"last\" [d]", "\"last{i}\" [d]",
       "`last` is one tensor for the whole model; write `last[i]` for one a layer"},
      {"\"{i}.norm\"", "\"norm\"", "\"{i}\" must stand where the number belongs"},
      {"\"{i}.norm\"", "\"{i}.{i}.norm\"", "only one \"{i}\" may stand in a name"},
      {"\"{i}.q\" [32, d]", "\"{i}.q\" [32, d] with bias",
       "`with bias` expects a name that ends in \".weight\""},
  };
  for (const Case &test : cases)
    EXPECT_CONTAINS(parseError(changed(test.from, test.to)), test.message);
}

TEST(DescriptionErrors, ABiasBelongsToItsWeight) {
  std::string text = changed("\"{i}.o\" [d, 32]", "\"{i}.weight\" [d, 32] with bias");
  text.replace(text.find("* o[i]"), 6, "* o[i] + o_bias");
  EXPECT_CONTAINS(parseError(text), "`o_bias` is the bias of `o`, no value of its own");
}

TEST(DescriptionErrors, EveryContainerNamesEveryWeight) {
  std::string text = minimal;
  text += "weights gguf\n  table = \"t\" [V, d]\n";
  EXPECT_CONTAINS(parseError(text), "23:9: error: `last` is missing in `weights gguf`");
}

//===- Mistakes of shapes ------------------------------------------------------------===//

TEST(DescriptionErrors, Shapes) {
  struct Case {
    const char *from, *to, *message;
  };
  const Case cases[] = {
      {"h * q[i],", "h * o[i],",
       "m.moire:12:25: error: rows of 24 are multiplied by a matrix [any, 24]; found: `o` [24, "
       "32]"},
      {"h * q[i],", "q[i] * h,", "`*` of `q` [32, 24] and rows of 24"},
      {"h * q[i],", "true * h,", "`*` of true and rows of 24"},
      {"h * q[i],", "2 * q[i],", "`*` of 2 and `q` [32, 24]"},
      {"norm[i], 1e-5", "q[i], 1e-5",
       "`gain` of `rms_norm` is a weight [24], or of heads that divide it; found: `q` [32, 24]"},
      {"norm[i], 1e-5", "norm[i], -1", "`eps` of `rms_norm` is a number, 0 or more; found: -1"},
      {"embed(tokens, table)", "embed(table, tokens)",
       "`tokens` of `embed` is `tokens`; found: `table`"},
      {", 16)", ", 12)", "`k` of `attention` is rows of whole heads of 12; found: rows of 16"},
      {", 16)", ", 0)", "a dimension is a whole number from 1 to 2^30; found: 0"},
      {", 16)", ", 16, window = \"all\")",
       "a dimension is a whole number from 1 to 2^30; found: \"all\""},
      {"h * v[i], 16", "h, 16", "`v` of `attention` is as wide as `k`, 16; found: rows of 24"},
      {"(h * q[i], h * k[i], h * v[i]", "(h * k[i], h * q[i], h * q[i]",
       "`q` of `attention` is rows of 32 (the width of `k`) or a multiple; found: rows of 16"},
      {"x = x + attention", "x = h + h * q[i] + attention", "the sum of rows of 24 and rows of 32"},
      {"h * q[i],", "h * q[i] + norm[i],", "a bias [32] is expected; found: `norm` [24]"},
      {"h * q[i],", "h + norm[i],", "a bias is added to a product that has none yet"},
      {" * o[i]\n", "\n", "the sum of rows of 24 and rows of 32"},
      {"x = x + attention(h * q[i], h * k[i], h * v[i], 16) * o[i]",
       "x = attention(h * q[i], h * k[i], h * v[i], 16) + 0 * o[i]", "`*` of 0 and `o`"},
      {"h * q[i],", "h * q[i] / 0,", "error: division by 0"},
      {"h * q[i],", "h * q[i] * 1e300,", "the factor is too large"},
      {"x = x + attention(h * q[i], h * k[i], h * v[i], 16) * o[i]",
       "y = x + attention(h * q[i], h * k[i], h * v[i], 16) * o[i]\n  x = y * q[i]",
       "`x` leaves the layer with rows of 32"},
      {"h * q[i],", "rope(h * q[i], 24, 1e4),",
       "`x` of `rope` is rows of whole heads of 24; found: rows of 32"},
      {"h * q[i],", "rope(h * q[i], 16, 0),", "`base` of `rope` is a number above 0; found: 0"},
      {"h * q[i],", "rope(h * q[i], 16, 1e4, 18),",
       "`rotary` of `rope` is even and at most 16; found: 18"},
      {"h * q[i],", "rope(h * q[i], 16, 1e4, scaling = 2),",
       "`scaling` of `rope` is `linear_scaling(…)`, `llama3_scaling(…)` or none; found: 2"},
      {"* table\n", "* o[0]\n",
       "rows of 24 are multiplied by a matrix [any, 24]; found: `o` [24, 32]"},
      {"layer i\n", "layer i when i\n", "expected a condition; found: 0"},
      {"layer i\n", "layer i when i > 0\n", "no block describes layer 0"},
      {"after layers\n",
       "layer i when i > 0\n  x = x + attention(x * q[i], x * k[i], x * v[i], 16) * o[i]\nafter "
       "layers\n",
       "layer 1 is described here and in line 10"},
      {"\"last\" [d]", "\"last\" optional", "no line states the shape of `last`"},
      {"\"last\" [d]", "\"last\" [d] when false", "no line for `last` holds here"},
      {"\"last\" [d]", "\"lost\" [d] optional", "found: `last`, which the file does not have"},
      {"\"{i}.q\" [32, d]", "unpermute_rope(\"{i}.q\", 5) [32, d]",
       "32 rows are not 5 heads of an even size"},
  };
  for (const Case &test : cases) {
    std::string text = changed(test.from, test.to);
    std::string message = applyError(text, tinyContainer());
    EXPECT_CONTAINS(message, test.message);
  }
}

TEST(DescriptionErrors, AttentionInALayer) {
  EXPECT_CONTAINS(
      applyError(changed("x = x + attention(h * q[i], h * k[i], h * v[i], 16) * o[i]",
                         "y = h * q[i] + h * q[i]\n  z = attention(y, h * k[i], h * v[i], 16)\n"
                         "  x = x + attention(z, h * k[i], h * v[i], 16) * o[i]"),
                 tinyContainer(), ReadError::Kind::Unsupported),
      "a second attention in one layer");
  EXPECT_CONTAINS(applyError(changed("x = x + attention(h * q[i], h * k[i], h * v[i], 16) * o[i]",
                                     "y = attention(h * q[i], h * k[i], h * v[i], 16) * o[i]"),
                             tinyContainer(), ReadError::Kind::Unsupported),
                  "a layer without attention");
}
