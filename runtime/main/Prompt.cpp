#include "runtime/main/Prompt.h"

#include "runtime/Format.h"
#include "runtime/main/Console.h"

#include <algorithm>

namespace moire {

namespace {
constexpr std::string_view kTurnStart = "<|im_start|>", kTurnEnd = "<|im_end|>";

int checkIds(const Program &program, const std::vector<int32_t> &ids) {
  for (int32_t id : ids)
    if (id >= program.info.vocab)
      return complain(kUsage, format("--token-ids: %d is outside of the vocabulary 0 .. %lld", id,
                                     static_cast<long long>(program.info.vocab - 1)));
  return kDone;
}

int readText(const Options &options, std::string &text) {
  if (options.prompt) {
    text = *options.prompt;
    return kDone;
  }
  if (!options.promptFile && inputIsTerminal())
    return complain(kUsage, "there is no prompt: give one with -p \"…\", or --help");
  std::string error;
  if (!readFile(options.promptFile.value_or("-"), text, error))
    return complain(kBadInput, error);
  // A file's last line end belongs to the file, not to the text.
  if (!text.empty() && text.back() == '\n')
    text.pop_back();
  return kDone;
}
} // namespace

std::vector<int32_t> chatMlPrompt(const Tokenizer &tokenizer, std::string_view system,
                                  std::string_view user) {
  std::vector<int32_t> ids = tokenizer.encode("", true); // BOS, where the model wants one
  auto text = [&](const std::string &words) {
    std::vector<int32_t> more = tokenizer.encode(words, false);
    ids.insert(ids.end(), more.begin(), more.end());
  };
  auto turn = [&](std::string_view role, std::string_view words) {
    ids.push_back(tokenizer.find(kTurnStart));
    text(std::string(role) + "\n" + std::string(words));
    ids.push_back(tokenizer.find(kTurnEnd));
    text("\n");
  };
  if (!system.empty())
    turn("system", system);
  turn("user", user);
  ids.push_back(tokenizer.find(kTurnStart));
  text("assistant\n");
  return ids;
}

int readPrompt(const Program &program, std::vector<int32_t> &ids) {
  const Options &options = program.options;
  if (options.tokenIds) {
    ids = *options.tokenIds;
    return checkIds(program, ids);
  }
  if (int code = program.needTokenizer())
    return code;
  std::string text;
  if (int code = readText(options, text))
    return code;

  bool hasChat = program.metadata.chat == ChatForm::ChatMl &&
                 program.tokenizer.find(kTurnStart) >= 0 && program.tokenizer.find(kTurnEnd) >= 0;
  if (options.chat.value_or(false) && !hasChat)
    return complain(kUnsupported,
                    "--chat: the model has no chat form; --no-chat continues the text");
  const bool chat = options.chat.value_or(hasChat);
  if (chat && text.empty())
    return complain(kUsage, "the prompt is empty");
  if (chat)
    ids = chatMlPrompt(program.tokenizer, program.metadata.system, text);
  else
    ids = program.tokenizer.encode(text, !options.noSpecial);
  if (ids.empty())
    return complain(kUsage, "the prompt is empty");
  return kDone;
}

bool endsAnswer(const Program &program, int32_t id) {
  const std::vector<int32_t> &eos = program.metadata.eos;
  if (std::find(eos.begin(), eos.end(), id) != eos.end())
    return true;
  if (!program.noTokenizer.empty())
    return false;
  return program.tokenizer.isEos(id) ||
         (program.metadata.chat == ChatForm::ChatMl && id == program.tokenizer.find(kTurnEnd));
}

} // namespace moire
