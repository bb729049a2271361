#include "frontends/tokenizer/TokenizerImport.h"

#include <gtest/gtest.h>

using namespace moire;

// SmolLM2's template.
TEST(ChatForm, FindsTheDefaultSystemMessage) {
  const ChatForm form = recogniseChatForm(
      "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
      "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging "
      "Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + "
      "message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}"
      "{{ '<|im_start|>assistant\n' }}{% endif %}");
  EXPECT_EQ(form.kind, ChatForm::ChatMl);
  EXPECT_EQ(form.default_system,
            "You are a helpful AI assistant named SmolLM, trained by Hugging Face");
}

// The way of Qwen: escapes, and literals that open a system message without saying it.
TEST(ChatForm, ReadsEscapesAndPassesOverOtherMessages) {
  const ChatForm form =
      recogniseChatForm(R"({{- '<|im_start|>system\n' + messages[0]['content'] + '<|im_end|>\n' }})"
                        R"({{- "<|im_start|>user\nhi<|im_end|>\n" }})"
                        R"({{- '<|im_start|>system\nIt\'s "me".<|im_end|>\n' }})");
  EXPECT_EQ(form.kind, ChatForm::ChatMl);
  EXPECT_EQ(form.default_system, "It's \"me\".");
}

TEST(ChatForm, ReadsTextOutsideOfTags) {
  const ChatForm form =
      recogniseChatForm("{% if x %}<|im_start|>system\nBe brief.<|im_end|>\n{% endif %}");
  EXPECT_EQ(form.default_system, "Be brief.");
}

TEST(ChatForm, NeedsNoDefaultSystemMessage) {
  const ChatForm form = recogniseChatForm(
      "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n'}}");
  EXPECT_EQ(form.kind, ChatForm::ChatMl);
  EXPECT_EQ(form.default_system, "");
}

TEST(ChatForm, IsNoneForOtherTemplates) {
  for (const char *other : {"", "[INST] {{ message }} [/INST]", "<|im_start|>",
                            "<|start_header_id|>user<|end_header_id|>"})
    EXPECT_EQ(recogniseChatForm(other).kind, ChatForm::None) << other;
}

TEST(ChatForm, SurvivesUnterminatedLiterals) {
  for (const char *broken :
       {"<|im_end|>'<|im_start|>system\nx<|im_end|>",
        "<|im_end|>'<|im_start|>system\nx<|im_end|>\\", "<|im_end|><|im_start|>"}) {
    EXPECT_EQ(recogniseChatForm(broken).kind, ChatForm::ChatMl) << broken;
    EXPECT_EQ(recogniseChatForm(broken).default_system, "") << broken;
  }
}
