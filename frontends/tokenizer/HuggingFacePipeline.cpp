#include "frontends/tokenizer/Readers.h"
#include "frontends/weights/Checks.h"

#include "llvm/ADT/STLExtras.h"

using namespace moire;

namespace {

using llvm::StringRef;
using llvm::json::Array;
using llvm::json::Object;
using llvm::json::Value;

/// How a piece of a pre_tokenizer cuts text.
enum class Step { Digits, Gpt2 };

/// Regular expressions that a "Split" may have, as published files write them.
struct KnownRegex {
  StringRef regex;
  Step step;
};
constexpr KnownRegex regexes[] = {
    {R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", Step::Gpt2},
    {R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", Step::Gpt2},
    {R"(\p{N})", Step::Digits},
};

class PipelineReader {
public:
  PipelineReader(const Object &tokenizer, Unknowns &unknowns)
      : tokenizer(tokenizer), unknowns(unknowns) {}

  void readNormalizer() {
    forEachPart("normalizer", "normalizers",
                [&](StringRef type, const Object &) { unknown("normalizer", type); });
  }
  PreTokenizerKind readPreTokenizer();
  void readDecoder() {
    forEachPart("decoder", "decoders", [&](StringRef type, const Object &) {
      if (type != "ByteLevel")
        unknown("decoder", type);
    });
  }
  std::string_view readPostProcessor();

private:
  /// Calls `use(type, part)` for the part under `key`, or for each of the list under `listKey` if
  /// it is a "Sequence". Null and absent are no parts.
  template <typename Use> void forEachPart(StringRef key, StringRef listKey, Use use) {
    const Value *value = tokenizer.get(key);
    if (!value || value->getAsNull())
      return;
    const Object *part = value->getAsObject();
    if (!part)
      return unknown(key, "(no object)");
    if (part->getString("type") != "Sequence")
      return use(part->getString("type").value_or("(no type)"), *part);
    const Array *list = part->getArray(listKey);
    if (!list)
      return unknown(key, "Sequence without a list");
    for (const Value &element : *list) {
      const Object *inner = element.getAsObject();
      if (!inner)
        unknown(key, "(no object)");
      else
        use(inner->getString("type").value_or("(no type)"), *inner);
    }
  }

  void unknown(StringRef key, const llvm::Twine &what) {
    unknowns.push_back((key + " " + what).str());
  }
  void readSplit(const Object &part, std::vector<Step> &steps);

  const Object &tokenizer;
  Unknowns &unknowns;
};

void PipelineReader::readSplit(const Object &part, std::vector<Step> &steps) {
  const Object *pattern = part.getObject("pattern");
  const StringRef regex = pattern ? pattern->getString("Regex").value_or("") : "";
  const auto *known =
      llvm::find_if(regexes, [&](const KnownRegex &known) { return known.regex == regex; });
  // What matches is a piece, and so is what stands between; "Removed" inverted says the same when
  // all text matches.
  const StringRef behavior = part.getString("behavior").value_or("");
  const bool invert = part.getBoolean("invert").value_or(false);
  const bool isolates = behavior == "Isolated" && !invert;
  if (known == std::end(regexes))
    return unknown("pre_tokenizer", "Split with the regex " + quoted(regex));
  if (!isolates && !(behavior == "Removed" && invert && known->step == Step::Gpt2))
    return unknown("pre_tokenizer", "Split with the behavior " + quoted(behavior));
  steps.push_back(known->step);
}

PreTokenizerKind PipelineReader::readPreTokenizer() {
  std::vector<Step> steps;
  size_t byteLevels = 0;
  const size_t unknownsBefore = unknowns.size();
  forEachPart("pre_tokenizer", "pretokenizers", [&](StringRef type, const Object &part) {
    if (type == "Digits") {
      if (!part.getBoolean("individual_digits").value_or(false))
        unknown("pre_tokenizer", "Digits without individual_digits");
      steps.push_back(Step::Digits);
    } else if (type == "Split") {
      readSplit(part, steps);
    } else if (type == "ByteLevel") {
      ++byteLevels;
      if (part.getBoolean("add_prefix_space").value_or(false))
        unknown("pre_tokenizer", "ByteLevel with add_prefix_space");
      if (part.getBoolean("use_regex").value_or(true))
        steps.push_back(Step::Gpt2);
    } else {
      unknown("pre_tokenizer", type);
    }
  });
  if (unknowns.size() != unknownsBefore)
    return PreTokenizerKind::Gpt2;
  if (byteLevels != 1)
    unknown("pre_tokenizer", "without exactly one ByteLevel");
  else if (steps == std::vector{Step::Digits, Step::Gpt2})
    return PreTokenizerKind::DigitsGpt2;
  else if (steps != std::vector{Step::Gpt2})
    unknown("pre_tokenizer", "with these steps in this order");
  return PreTokenizerKind::Gpt2;
}

std::string_view PipelineReader::readPostProcessor() {
  std::string_view bos;
  forEachPart("post_processor", "processors", [&](StringRef type, const Object &part) {
    if (type == "ByteLevel") // moves offsets only
      return;
    if (type != "TemplateProcessing")
      return unknown("post_processor", type);
    const Array *single = part.getArray("single");
    const size_t count = single ? single->size() : 0;
    auto partOf = [&](size_t i, StringRef key) -> const Object * {
      const Object *piece = (*single)[i].getAsObject();
      return piece ? piece->getObject(key) : nullptr;
    };
    const bool endsWithText = count > 0 && partOf(count - 1, "Sequence");
    if (count == 1 && endsWithText)
      return;
    const Object *special = count == 2 && endsWithText ? partOf(0, "SpecialToken") : nullptr;
    if (!special)
      return unknown("post_processor", "TemplateProcessing of another form than BOS, text");
    bos = special->getString("id").value_or("");
  });
  return bos;
}

} // namespace

void moire::readHuggingFacePipeline(const Object &tokenizer, TokenizerSource &source,
                                    std::string_view &bosSpelling, Unknowns &unknowns) {
  PipelineReader reader(tokenizer, unknowns);
  reader.readNormalizer();
  source.pre_tokenizer = reader.readPreTokenizer();
  reader.readDecoder();
  bosSpelling = reader.readPostProcessor();
}
