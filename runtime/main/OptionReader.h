// Reads a command line option by option, from a table: "--name VALUE", "--name=VALUE", "-n VALUE".

#ifndef MOIRE_RUNTIME_MAIN_OPTIONREADER_H
#define MOIRE_RUNTIME_MAIN_OPTIONREADER_H

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moire {

enum class Takes : uint8_t { Nothing, Value };

/// How an option is spelled.
struct OptionName {
  std::string_view name, shortName; // "--threads", "-t"; the latter may be empty
  Takes takes;
};

/// What parsers with a table have in common. The functions of the table's rows find the option's
/// value in `value`, and refuse it with `fail`; the first refusal ends the reading.
class OptionReader {
protected:
  template <typename Parser> struct Row {
    OptionName option;
    void (Parser::*set)();
  };

  /// `hint` is what to do about an argument that is no option.
  OptionReader(const std::vector<std::string> &arguments, std::string_view hint, std::string &error)
      : arguments(arguments), hint(hint), error(error) {}

  /// Calls the row's function for each argument. False if `error` says what is wrong.
  template <typename Parser> bool read(Parser &parser, std::span<const Row<Parser>> table) {
    while (next < arguments.size() && error.empty()) {
      takeName();
      const auto row = std::find_if(table.begin(), table.end(),
                                    [&](const Row<Parser> &row) { return isCalled(row.option); });
      if (row == table.end())
        refuse();
      else if (takeValue(row->option.takes))
        (parser.*row->set)();
    }
    return error.empty();
  }

  /// Says why the option that is being read is wrong.
  void fail(const std::string &why);

  /// The value as a number in least .. most.
  int64_t integer(int64_t least, int64_t most);
  float real(double least, double most);
  /// "1,2,3": whole numbers, with or without spaces.
  std::vector<int64_t> list(int64_t least, int64_t most);

  const std::vector<std::string> &arguments;
  std::string_view hint;
  std::string &error;
  size_t next = 0;
  std::string_view given, value; // of the option that is being read

private:
  void takeName();
  bool takeValue(Takes takes);
  bool isCalled(const OptionName &option) const;
  void refuse();

  bool hasValue = false; // after a `=`
};

} // namespace moire

#endif
