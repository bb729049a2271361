// From a container's tokenizer to the tokenizer section of the finished program.

#ifndef MOIRE_FRONTENDS_TOKENIZER_TOKENIZERIMPORT_H
#define MOIRE_FRONTENDS_TOKENIZER_TOKENIZERIMPORT_H

#include "frontends/weights/Container.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace moire {

/// How the messages of a conversation become one text, as far as the model's chat template says so
/// in a form that we know. Templates are recognised, never run.
struct ChatForm {
  enum Kind : uint8_t {
    None,   // no template, or one of another form
    ChatMl, // "<|im_start|>ROLE\nTEXT<|im_end|>\n" for each message
  };
  Kind kind = None;
  /// The system message that stands when the conversation brings none; empty if there is no such.
  std::string default_system;
};

/// Recognises the form of a chat template (jinja source).
ChatForm recogniseChatForm(std::string_view chatTemplate);

/// What a container says about text.
struct ImportedTokenizer {
  std::vector<uint8_t> section; // runtime/text/TokenizerSection.h; empty: no tokenizer
  ChatForm chat;
};

/// Reads the tokenizer of `container`: GGUF's metadata ("tokenizer.ggml.*"), or tokenizer.json and
/// tokenizer_config.json beside a Hugging Face config.json. A container without one gives an empty
/// section and is no error. On failure returns false; `error` names the file and the key. A
/// tokenizer that is well formed but of a kind that we do not know is ReadError::Kind::Unsupported,
/// with all that is missing listed at once; a program without a tokenizer can still be made then.
bool importTokenizer(const Container &container, ImportedTokenizer &tokenizer, ReadError &error);

} // namespace moire

#endif
