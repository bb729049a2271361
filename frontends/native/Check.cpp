// What the grammar cannot say: every name is known where it is used, and defined once.

#include "frontends/native/Parser.h"
#include "frontends/native/Value.h"

#include <algorithm>
#include <set>

using namespace moire;

namespace {

class Checker {
public:
  Checker(const Description &description, Diagnostics &diagnostics)
      : description(description), diagnostics(diagnostics) {}

  void run() {
    checkOutline();
    checkConfig();
    declareWeights();
    for (const WeightsSection &section : description.weights)
      checkWeights(section);
    for (const Part &part : description.parts) {
      declare(part.name, "a part", part.at);
      checkBody(part.body, part.parameters, "");
    }
    checkBody(description.before, {}, "x");
    for (const LayerBlock &block : description.layers) {
      if (block.condition)
        checkExpr(*block.condition, {block.index}, Where::Plain);
      checkBody(block.body, {block.index}, "");
    }
    checkBody(description.after, {}, "logits");
    checkSectionsAgree();
  }

private:
  enum class Where : uint8_t {
    Plain, // names of config
    Body,  // and weights, local names and operations
  };

  /// What a description must have, whatever else it says.
  void checkOutline() {
    const Description &d = description;
    if (d.name.empty())
      diagnostics.error(d.at, "`model` and the architecture's name are missing");
    if (d.matches.empty())
      diagnostics.error(d.at, "no `match` says which models this describes");
    for (std::string_view name : {"layers", "context"})
      if (!d.findConfig(name))
        diagnostics.error(d.at, "`config` must define `" + std::string(name) + "`, the number of " +
                                    (name == "layers" ? "layers" : "positions"));
    if (d.before.empty())
      diagnostics.error(d.at, "`before layers` is missing: it makes `x` from `tokens`");
    if (d.layers.empty())
      diagnostics.error(d.at, "no `layer` block");
    if (d.after.empty())
      diagnostics.error(d.at, "`after layers` is missing: it makes `logits` from `x`");
    for (const MatchLine &match : d.matches)
      if (!d.findWeights(match.container))
        diagnostics.error(match.at, "`weights " + std::string(containerWord(match.container)) +
                                        "` is missing: it names the tensors of such models");
  }

  void declare(const std::string &name, std::string_view what, SourceRange at) {
    if (name == "x" || name == "tokens")
      diagnostics.error(at, "`" + name + "` has a meaning of its own");
    else if (findVocabularyWord(name))
      diagnostics.error(at, "`" + name + "` is a word of the vocabulary");
    else if (!declared.emplace(name, what).second)
      diagnostics.error(at, "`" + name + "` is " + declared[name] + " already");
  }

  void checkConfig() {
    for (const ConfigEntry &entry : description.config) {
      if (entry.value)
        checkExpr(*entry.value, {}, Where::Plain);
      if (entry.subject)
        checkExpr(*entry.subject, {}, Where::Plain);
      for (const ChooseCase &chosen : entry.cases)
        checkExpr(*chosen.value, {}, Where::Plain);
      declare(entry.name, "a name of `config`", entry.at);
    }
    for (const Requirement &requirement : description.requirements)
      checkExpr(*requirement.condition, {}, Where::Plain);
  }

  void declareWeights() {
    for (const WeightsSection &section : description.weights)
      for (const WeightEntry &entry : section.entries) {
        declareWeight(entry);
        if (entry.bias != WeightEntry::Bias::None)
          declareBias(entry);
      }
  }

  void declareWeight(const WeightEntry &entry) {
    const std::string &name = entry.name;
    auto known = weights.find(name);
    if (known == weights.end()) {
      declare(name, "a weight", entry.at);
      weights[name] = {&entry, false};
      if (isFunctionName(name))
        diagnostics.error(entry.at, "`" + name + "` is a function of the compiled program");
    } else if (known->second.entry->index.empty() != entry.index.empty()) {
      diagnostics.error(entry.at,
                        "`" + name + "` is one tensor in one line and one a layer in another");
    }
  }

  void declareBias(const WeightEntry &entry) {
    std::string name = entry.name + "_bias", what = "the bias of `" + entry.name + "`";
    auto [known, isNew] = declared.emplace(name, what);
    if (!isNew && known->second != what)
      diagnostics.error(entry.at, "`" + name + "`, as " + what + " is called, is " + known->second +
                                      " already");
  }

  /// Weights and functions share the names of a module.
  static bool isFunctionName(std::string_view name) {
    return name == "forward" || (name.starts_with("layer_") &&
                                 name.find_first_not_of("0123456789", 6) == std::string_view::npos);
  }

  void checkWeights(const WeightsSection &section) {
    std::set<std::string> closed; // names whose last line had no condition
    for (const WeightEntry &entry : section.entries) {
      if (!closed.count(entry.name) && entry.condition)
        checkExpr(*entry.condition, {}, Where::Plain);
      else if (closed.count(entry.name))
        diagnostics.error(entry.at, "an earlier line says what `" + entry.name +
                                        "` is; only lines with `when` can be followed by another");
      if (!entry.condition)
        closed.insert(entry.name);
      std::vector<std::string> names;
      if (!entry.index.empty())
        names.push_back(entry.index);
      for (const ExprPtr &dimension : entry.shape)
        checkExpr(*dimension, names, Where::Plain);
      if (entry.shape.size() > 3)
        diagnostics.error(entry.shape[3]->at, "a weight has one or two dimensions, or three: "
                                              "[experts, rows, columns]");
      size_t dimensions = description.shapeLine(entry).shape.size();
      if (entry.bias != WeightEntry::Bias::None && dimensions != 0 && dimensions != 2)
        diagnostics.error(entry.at, "only a matrix has a bias");
      for (const WeightSource &source : entry.sources)
        checkSource(entry, source, names, dimensions);
    }
  }

  /// `dimensions` is how many the weight has, 0 if no line says.
  void checkSource(const WeightEntry &entry, const WeightSource &source,
                   const std::vector<std::string> &names, size_t dimensions) {
    if (source.interleaved) {
      checkExpr(*source.interleaved, names, Where::Plain);
      if (dimensions > 2)
        diagnostics.error(source.at, "only rows of one matrix or vector are unpermuted");
    }
    if (source.first_row) {
      checkExpr(*source.first_row, names, Where::Plain);
      checkExpr(*source.all_rows, names, Where::Plain);
      if (dimensions == 1)
        diagnostics.error(source.at, "only of matrices there can be rows");
      if (entry.bias != WeightEntry::Bias::None)
        diagnostics.error(source.at, "`with bias` expects a matrix that is a whole tensor");
    }
    if (!source.weight.empty()) {
      auto other = weights.find(source.weight);
      if (other == weights.end())
        diagnostics.error(source.at, "`" + source.weight + "` is no weight" +
                                         hint(source.weight, weightNames()));
      else if (!entry.index.empty() || !other->second.entry->index.empty())
        diagnostics.error(source.at, "only weights of the whole model stand for one another");
      else if (!namesTensor(source.weight))
        diagnostics.error(source.at, "`" + source.weight + "` names no tensor itself");
      else
        other->second.read = true;
      return;
    }
    if (source.tensor.empty())
      diagnostics.error(source.at, "an empty name");
    checkPlaces(entry, source, dimensions, diagnostics);
    if (entry.bias != WeightEntry::Bias::None && !source.tensor.ends_with(".weight"))
      diagnostics.error(source.at, "`with bias` expects a name that ends in \".weight\": the bias "
                                   "is called the same with \".bias\"");
  }

  bool namesTensor(const std::string &weight) const {
    for (const WeightsSection &section : description.weights)
      for (const WeightEntry &entry : section.entries)
        if (entry.name == weight)
          for (const WeightSource &source : entry.sources)
            if (!source.weight.empty())
              return false;
    return true;
  }

  void checkBody(const std::vector<Statement> &body, std::vector<std::string> names,
                 std::string_view result) {
    bool made = result.empty();
    for (const Statement &statement : body) {
      if (statement.name.empty()) {
        checkPartCall(*statement.value, names);
        made |= result == "x";
        continue;
      }
      checkExpr(*statement.value, names, Where::Body);
      const std::string &name = statement.name;
      made |= name == result;
      if (name == "tokens" || findVocabularyWord(name))
        diagnostics.error(statement.at, "`" + name + "` has a meaning of its own");
      else if (declared.count(name) && !isLayerWeight(name))
        diagnostics.error(statement.at, "`" + name + "` is " + declared[name] + " already");
      else if (name != "x")
        names.push_back(name);
    }
    if (!made && !body.empty())
      diagnostics.error(body.back().at, "the last lines must make `" + std::string(result) + "`");
  }

  void checkPartCall(const Expr &call, const std::vector<std::string> &names) {
    auto known = declared.find(call.text);
    if (known == declared.end() || known->second != "a part") {
      std::vector<std::string_view> parts;
      for (const Part &part : description.parts)
        parts.push_back(part.name);
      diagnostics.error(call.at, findVocabularyWord(call.text)
                                     ? "the result of `" + call.text + "` is lost; write `x = …`"
                                     : "no part `" + call.text + "` before this line" +
                                           hint(call.text, parts));
      return;
    }
    const Part &part = *description.findPart(call.text);
    if (call.arguments.size() != part.parameters.size())
      diagnostics.error(call.at, "`" + part.name + "` takes " +
                                     std::to_string(part.parameters.size()) +
                                     " values; found: " + std::to_string(call.arguments.size()));
    for (const Argument &argument : call.arguments) {
      if (!argument.keyword.empty())
        diagnostics.error(argument.at, "the values of a part are given by position");
      checkExpr(*argument.value, names, Where::Body);
    }
  }

  void checkExpr(const Expr &expr, const std::vector<std::string> &names, Where where) {
    for (const ExprPtr &operand : expr.operands)
      checkExpr(*operand, names, where);
    if (expr.kind == Expr::Kind::Call)
      checkCall(expr, names, where);
    else if (expr.kind == Expr::Kind::Name || expr.kind == Expr::Kind::Index)
      checkName(expr, names, where);
  }

  void checkCall(const Expr &expr, const std::vector<std::string> &names, Where where) {
    for (const Argument &argument : expr.arguments)
      checkExpr(*argument.value, names, where);
    const VocabularyWord *word = findVocabularyWord(expr.text);
    if (!word)
      diagnostics.error(expr.at, description.findPart(expr.text)
                                     ? "`" + expr.text +
                                           "` is a part: it stands in a line of its "
                                           "own and changes `x`"
                                     : "`" + expr.text + "` is no word of the vocabulary" +
                                           hint(expr.text, vocabularyNames()));
    else if (word->use == VocabularyWord::Use::Layers && where == Where::Plain)
      diagnostics.error(expr.at, "`" + expr.text + "` works on rows; here stand plain values");
    else
      checkArguments(expr, *word, diagnostics);
  }

  void checkName(const Expr &expr, const std::vector<std::string> &names, Where where) {
    const std::string &name = expr.text;
    bool indexed = expr.kind == Expr::Kind::Index;
    if (!indexed && (std::find(names.begin(), names.end(), name) != names.end() ||
                     (where == Where::Body && (name == "x" || name == "tokens"))))
      return;
    auto weight = where == Where::Body ? weights.find(name) : weights.end();
    if (weight != weights.end()) {
      bool perLayer = !weight->second.entry->index.empty();
      weight->second.read = true;
      if (indexed && !perLayer)
        diagnostics.error(expr.at, "`" + name + "` is one tensor for the whole model");
      else if (!indexed && perLayer)
        diagnostics.error(expr.at, "`" + name + "` is one tensor a layer: write " + name + "[i]");
      return;
    }
    auto known = declared.find(name);
    if (known != declared.end() && known->second == "a name of `config`")
      return;
    if (description.findConfig(name)) {
      diagnostics.error(expr.at, "`" + name + "` is defined only after this line");
      return;
    }
    if (known != declared.end()) {
      diagnostics.error(expr.at, "`" + name + "` is " + known->second + ", no value of its own");
      return;
    }
    std::vector<std::string_view> candidates(names.begin(), names.end());
    for (const auto &[other, what] : declared)
      candidates.push_back(other);
    diagnostics.error(expr.at, "`" + name + "` is not defined" + hint(name, candidates));
  }

  struct WeightState {
    const WeightEntry *entry;
    bool read;
  };
  using WeightMap = std::map<std::string, WeightState>;

  /// What the layers read must have a name in every container.
  void checkSectionsAgree() {
    for (const auto &[name, state] : weights) {
      if (!state.read)
        continue;
      for (const WeightsSection &section : description.weights) {
        bool named = false;
        for (const WeightEntry &entry : section.entries)
          named |= entry.name == name;
        if (!named)
          diagnostics.error(section.at, "`" + name + "` is missing in `weights " +
                                            std::string(containerWord(section.container)) + "`");
      }
    }
  }

  /// q[i] and a local q are told apart by the brackets.
  bool isLayerWeight(const std::string &name) const {
    auto weight = weights.find(name);
    return weight != weights.end() && !weight->second.entry->index.empty();
  }

  std::vector<std::string_view> weightNames() const {
    std::vector<std::string_view> names;
    for (const auto &[name, state] : weights)
      names.push_back(name);
    return names;
  }

  const Description &description;
  Diagnostics &diagnostics;
  std::map<std::string, std::string> declared; // and what it is
  WeightMap weights;
};

} // namespace

void moire::checkNames(const Description &description, Diagnostics &diagnostics) {
  Checker(description, diagnostics).run();
}
