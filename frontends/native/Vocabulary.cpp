// The words that are called like functions, and their arguments. docs/model-descriptions.md
// describes each.

#include "frontends/native/Value.h"

using namespace moire;

static const std::vector<VocabularyWord> &vocabulary() {
  using Use = VocabularyWord::Use;
  static const std::vector<VocabularyWord> words = {
      {"embed", Use::Layers, {{"tokens", true}, {"table", true}}},
      {"rms_norm", Use::Layers, {{"x", true}, {"gain", true}, {"eps", true}}},
      {"rope",
       Use::Layers,
       {{"x", true}, {"head_dim", true}, {"base", true}, {"rotary", false}, {"scaling", false}}},
      {"attention",
       Use::Layers,
       {{"q", true},
        {"k", true},
        {"v", true},
        {"head_dim", true},
        {"window", false},
        {"scale", false}}},
      {"swiglu", Use::Layers, {{"x", true}, {"gate", true}, {"up", true}, {"down", true}}},
      {"sigmoid", Use::Layers, {{"x", true}}},
      {"route",
       Use::Layers,
       {{"logits", true},
        {"top", true},
        {"scores", true},
        {"normalize", false},
        {"scaling", false},
        {"choice_bias", false},
        {"groups", false},
        {"group_limit", false},
        {"group_score", false}}},
      {"experts",
       Use::Layers,
       {{"x", true}, {"routing", true}, {"gate", true}, {"up", true}, {"down", true}}},
      {"linear_scaling", Use::Anywhere, {{"factor", true}}},
      {"llama3_scaling",
       Use::Anywhere,
       {{"factor", true}, {"low_factor", true}, {"high_factor", true}, {"original_context", true}}},
      {"llama3_divisors", Use::Anywhere, {{"tensor", true}, {"base", true}}},
      {"floor", Use::Anywhere, {{"number", true}}},
      {"contains", Use::Anywhere, {{"list", true}, {"value", true}}},
      {"rows", Use::Anywhere, {{"tensor", true}}},
      {"has", Use::Anywhere, {{"tensor", true}}},
  };
  return words;
}

const VocabularyWord *moire::findVocabularyWord(std::string_view name) {
  for (const VocabularyWord &word : vocabulary())
    if (word.name == name)
      return &word;
  return nullptr;
}

std::vector<std::string_view> moire::vocabularyNames() {
  std::vector<std::string_view> names;
  for (const VocabularyWord &word : vocabulary())
    names.push_back(word.name);
  return names;
}

const Argument *VocabularyWord::argument(const Expr &call, size_t n) const {
  if (n < call.arguments.size() && call.arguments[n].keyword.empty())
    return &call.arguments[n];
  for (const Argument &argument : call.arguments)
    if (argument.keyword == parameters[n].name)
      return &argument;
  return nullptr;
}

void moire::checkArguments(const Expr &call, const VocabularyWord &word, Diagnostics &diagnostics) {
  std::vector<std::string_view> names;
  std::string all;
  for (const VocabularyWord::Parameter &parameter : word.parameters) {
    names.push_back(parameter.name);
    all += (all.empty() ? "" : ", ") + std::string(parameter.name);
  }
  std::string form = "`" + call.text + "(" + all + ")`";
  std::vector<bool> given(names.size());
  bool byName = false;
  for (size_t n = 0; n < call.arguments.size(); ++n) {
    const Argument &argument = call.arguments[n];
    size_t index = n;
    if (!argument.keyword.empty()) {
      byName = true;
      for (index = 0; index < names.size() && names[index] != argument.keyword;)
        ++index;
    } else if (byName) {
      diagnostics.error(argument.at, "an argument by position after one by name in " + form);
      continue;
    }
    if (index >= names.size()) {
      diagnostics.error(argument.at, argument.keyword.empty()
                                         ? "too many arguments; expected " + form
                                         : form + " has no `" + argument.keyword + "`" +
                                               hint(argument.keyword, names));
      continue;
    }
    if (given[index])
      diagnostics.error(argument.at,
                        "`" + std::string(names[index]) + "` is given twice in " + form);
    given[index] = true;
  }
  for (size_t n = 0; n < names.size(); ++n)
    if (word.parameters[n].required && !given[n])
      diagnostics.error(call.at, "`" + std::string(names[n]) + "` is missing; expected " + form);
}
