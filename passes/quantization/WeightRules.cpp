#include "passes/quantization/WeightRules.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringSwitch.h"

using llvm::StringRef;
using ::moire::BlockFormat;

namespace mlir::moe {

/// What embeddings and heads become that no rule names.
static constexpr BlockFormat kHigher = BlockFormat::Int8_G128;
/// Columns of a block where a format is named without.
static constexpr StringRef kColumns = "_g128";

/// A format as it is written: the name of one of our own formats, with colons for the underscores.
static std::optional<WeightRules::Format> parseFormat(StringRef text) {
  if (text == "keep")
    return WeightRules::Format();
  if (text.contains('_'))
    return std::nullopt;
  std::string name = text.str();
  llvm::replace(name, ':', '_');
  if (!text.contains(':'))
    name += kColumns;
  std::optional<BlockFormat> format = ::moire::blockFormatNamed(name);
  if (!format || !::moire::blockInfo(*format).isOwn())
    return std::nullopt;
  return format;
}

std::optional<WeightRules> WeightRules::parse(StringRef text, std::string &error) {
  WeightRules result;
  llvm::SmallVector<StringRef> items;
  text.split(items, ',');
  for (StringRef item : items) {
    Rule rule;
    StringRef format = item;
    if (item.contains('=')) {
      auto [name, rest] = item.rsplit('=');
      format = rest;
      rule.name = name.str();
      rule.role = llvm::StringSwitch<std::optional<WeightRole>>(name)
                      .Case("router", WeightRole::Router)
                      .Case("embedding", WeightRole::Embedding)
                      .Case("head", WeightRole::Head)
                      .Case("experts", WeightRole::Experts)
                      .Default(std::nullopt);
      llvm::Expected<llvm::GlobPattern> pattern = llvm::GlobPattern::create(name);
      if (!pattern || name.empty()) {
        llvm::consumeError(pattern.takeError());
        error = "'" + item.str() +
                "' does not begin with router, embedding, head, experts or the "
                "pattern of a tensor's name, such as *down*";
        return std::nullopt;
      }
      rule.pattern = std::move(*pattern);
    }
    std::optional<Format> parsed = parseFormat(format);
    if (!parsed) {
      error = "'" + format.str() +
              "' is no format: there are keep, int4, uint4 and int8, with :g32, "
              ":g64, :g128 or :g256 behind (int4:g128), and :bf16 behind that";
      return std::nullopt;
    }
    rule.format = *parsed;
    result.rules.push_back(std::move(rule));
  }
  return result;
}

WeightRules::Choice WeightRules::choose(WeightRole role, StringRef name, bool isInBlocks) {
  Choice choice{{}, "no rule is for it"};
  for (Rule &rule : rules) {
    if (rule.role ? rule.role != role : rule.pattern && !rule.pattern->match(name))
      continue;
    rule.matched = true;
    choice = {rule.format, "a rule says keep"};
    if (!rule.name.empty() || !rule.format)
      continue;
    if (role == WeightRole::Router)
      choice = {{}, "routers are kept unless a rule names them"};
    else if (role == WeightRole::Embedding || role == WeightRole::Head)
      choice = isInBlocks ? Choice{{},
                                   "embeddings and heads in blocks are kept unless a rule names "
                                   "them"}
                          : Choice{kHigher, {}};
  }
  return choice;
}

bool WeightRules::mayRound() const {
  return llvm::any_of(rules, [](const Rule &rule) { return rule.format.has_value(); });
}

std::vector<StringRef> WeightRules::unmatched() const {
  std::vector<StringRef> names;
  for (const Rule &rule : rules)
    if (!rule.matched && !rule.name.empty())
      names.push_back(rule.name);
  return names;
}

} // namespace mlir::moe
