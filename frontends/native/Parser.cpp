#include "frontends/native/Parser.h"
#include "frontends/native/ExprParser.h"

using namespace moire;

namespace {

constexpr std::string_view sections =
    "`model`, `match`, `fallback`, `config`, `require`, `weights`, `part`, `before layers`, "
    "`layer` or `after layers`";

class Parser {
public:
  Parser(Description &description, Diagnostics &diagnostics)
      : out(description), diagnostics(diagnostics),
        lines(tokenize(description.source, diagnostics)) {}

  void run() {
    while (next < lines.size())
      parseSection();
  }

private:
  /// A section's first line; it takes the indented lines that belong to it.
  void parseSection() {
    const TokenLine &line = lines[next++];
    LineCursor cursor(line, diagnostics);
    if (line.indent != 0) {
      diagnostics.error(cursor.here(), "an indented line that belongs to no section");
      skipBlock();
    } else if (cursor.takeWord("model")) {
      out.at = cursor.here();
      if (!out.name.empty())
        diagnostics.error(cursor.here(), "a second `model`: a file describes one");
      if (cursor.expectName("the name of the architecture", out.name))
        cursor.expectEnd();
    } else if (cursor.takeWord("match")) {
      parseMatch(cursor, /*fallback=*/false);
    } else if (cursor.takeWord("fallback")) {
      parseMatch(cursor, /*fallback=*/true);
    } else if (cursor.takeWord("config")) {
      if (cursor.expectEnd())
        forEachLine([&](LineCursor &line) { parseConfigEntry(line); });
    } else if (cursor.takeWord("require")) {
      parseRequirement(cursor);
    } else if (cursor.takeWord("weights")) {
      parseWeights(cursor);
    } else if (cursor.takeWord("part")) {
      parsePart(cursor);
    } else if (cursor.takeWord("before")) {
      if (cursor.expectWord("layers") && cursor.expectEnd())
        parseBody(out.before);
    } else if (cursor.takeWord("after")) {
      if (cursor.expectWord("layers") && cursor.expectEnd())
        parseBody(out.after);
    } else if (cursor.takeWord("layer")) {
      parseLayer(cursor);
    } else {
      cursor.fail("expected " + std::string(sections));
    }
    skipBlock();
  }

  /// After an error, and after sections of one line: indented lines say nothing.
  void skipBlock() {
    bool known = diagnostics.ok();
    for (; next < lines.size() && lines[next].indent > 0; ++next)
      if (known)
        diagnostics.error(lines[next].tokens.front().at,
                          "an indented line below a section that is one line long");
  }

  /// Calls `parse` for each line of the section; the lines below it, indented deeper than the first
  /// one, are errors unless `parse` took them.
  template <typename Parse> void forEachLine(Parse parse) {
    if (next >= lines.size() || lines[next].indent == 0)
      return;
    uint32_t indent = lines[next].indent;
    while (next < lines.size() && lines[next].indent > 0) {
      const TokenLine &line = lines[next++];
      LineCursor cursor(line, diagnostics);
      if (line.indent != indent)
        cursor.fail("this line is indented by " + std::to_string(line.indent) +
                    " spaces, those before it by " + std::to_string(indent));
      else
        parse(cursor);
    }
  }

  bool parseContainer(LineCursor &cursor, Container::Kind &kind) {
    if (cursor.takeWord("huggingface"))
      kind = Container::Kind::HuggingFace;
    else if (cursor.takeWord("gguf"))
      kind = Container::Kind::Gguf;
    else
      return cursor.fail("expected `huggingface` or `gguf`");
    return true;
  }

  void parseMatch(LineCursor &cursor, bool fallback) {
    MatchLine match;
    match.fallback = fallback;
    match.at = cursor.here();
    if (!parseContainer(cursor, match.container))
      return;
    do {
      MatchTerm term;
      if (!cursor.expectKey(term.key))
        return;
      term.differs = cursor.takeMark("!=");
      if (!term.differs && !cursor.expectMark("="))
        return;
      do {
        ExprPtr value = parseLiteral(cursor);
        if (!value)
          return;
        term.values.push_back(std::move(value));
      } while (!term.differs && cursor.takeWord("or"));
      match.terms.push_back(std::move(term));
    } while (cursor.takeWord("and"));
    if (cursor.expectEnd())
      out.matches.push_back(std::move(match));
  }

  void parseConfigEntry(LineCursor &cursor) {
    ConfigEntry entry;
    entry.at = cursor.here();
    if (!cursor.expectName("a name", entry.name))
      return;
    if (cursor.takeWord("from")) {
      do {
        Key key;
        if (!cursor.expectKey(key))
          return;
        entry.keys.push_back(std::move(key));
      } while (cursor.takeWord("or"));
      if (cursor.takeWord("default") && !(entry.value = parseExpr(cursor)))
        return;
    } else if (cursor.takeMark("=")) {
      if (cursor.takeWord("choose")) {
        if (!(entry.subject = parseExpr(cursor)) || !cursor.expectEnd())
          return;
        if (!parseCases(cursor.indent(), entry))
          return;
      } else if (!(entry.value = parseExpr(cursor))) {
        return;
      }
    } else {
      cursor.fail("expected `from` and a key, or `=` and a value");
      return;
    }
    if (cursor.expectEnd())
      out.config.push_back(std::move(entry));
  }

  bool parseCases(uint32_t indent, ConfigEntry &entry) {
    bool good = true;
    while (next < lines.size() && lines[next].indent > indent) {
      LineCursor cursor(lines[next++], diagnostics);
      ChooseCase chosen;
      if (!cursor.takeWord("otherwise")) {
        do {
          ExprPtr literal = parseLiteral(cursor);
          if (!literal)
            break;
          chosen.literals.push_back(std::move(literal));
        } while (cursor.takeWord("or"));
        if (chosen.literals.empty()) {
          good = false;
          continue;
        }
      }
      if (!cursor.expectMark(":") || !(chosen.value = parseExpr(cursor)) || !cursor.expectEnd())
        good = false;
      else
        entry.cases.push_back(std::move(chosen));
    }
    if (good && entry.cases.empty()) {
      diagnostics.error(entry.at, "`choose` without cases: they stand below it, indented, as "
                                  "`\"linear\": value` or `otherwise: value`");
      return false;
    }
    return good;
  }

  void parseRequirement(LineCursor &cursor) {
    Requirement requirement;
    requirement.at = cursor.here();
    if (!(requirement.condition = parseExpr(cursor)) || !cursor.expectMark(","))
      return;
    if (cursor.expectString("why, in quotes", requirement.reason) && cursor.expectEnd())
      out.requirements.push_back(std::move(requirement));
  }

  void parseWeights(LineCursor &cursor) {
    WeightsSection section;
    section.at = cursor.here();
    if (!parseContainer(cursor, section.container) || !cursor.expectEnd())
      return;
    if (out.findWeights(section.container))
      diagnostics.error(section.at,
                        "a second `weights " + std::string(containerWord(section.container)) + "`");
    forEachLine([&](LineCursor &line) { parseWeightEntry(line, section); });
    out.weights.push_back(std::move(section));
  }

  void parseWeightEntry(LineCursor &cursor, WeightsSection &section) {
    if (cursor.takeWord("ignore")) {
      do {
        std::string pattern;
        if (!cursor.expectString("a tensor's name in quotes, `*` for any text", pattern))
          return;
        section.ignored.push_back(std::move(pattern));
      } while (cursor.takeMark(","));
      cursor.expectEnd();
      return;
    }
    WeightEntry entry;
    entry.at = cursor.here();
    if (!cursor.expectName("the name of a weight, or `ignore`", entry.name))
      return;
    if (cursor.takeMark("[") && (!cursor.expectName("the layer's name, as in q[i]", entry.index) ||
                                 !cursor.expectMark("]")))
      return;
    if (!cursor.expectMark("="))
      return;
    do {
      WeightSource weightSource;
      if (!parseWeightSource(cursor, weightSource))
        return;
      entry.sources.push_back(std::move(weightSource));
    } while (cursor.takeWord("or"));
    if (cursor.takeMark("[")) {
      do {
        ExprPtr dimension = parseExpr(cursor);
        if (!dimension)
          return;
        entry.shape.push_back(std::move(dimension));
      } while (cursor.takeMark(","));
      if (!cursor.expectMark("]"))
        return;
    }
    if (cursor.takeWord("with")) {
      entry.bias =
          cursor.takeWord("optional") ? WeightEntry::Bias::Optional : WeightEntry::Bias::Required;
      if (!cursor.expectWord("bias"))
        return;
    }
    entry.optional = cursor.takeWord("optional");
    if (cursor.takeWord("otherwise"))
      entry.otherwise = true;
    else if (cursor.takeWord("when") && !(entry.condition = parseExpr(cursor)))
      return;
    if (cursor.expectEnd())
      section.entries.push_back(std::move(entry));
  }

  bool parseWeightSource(LineCursor &cursor, WeightSource &weightSource) {
    weightSource.at = cursor.here();
    if (cursor.takeWord("unpermute_rope")) {
      if (!cursor.expectMark("("))
        return false;
      weightSource.at = cursor.here();
      if (!cursor.expectString("a tensor's name in quotes", weightSource.tensor) ||
          !cursor.expectMark(","))
        return false;
      weightSource.interleaved = parseExpr(cursor);
      return weightSource.interleaved && cursor.expectMark(")");
    }
    if (cursor.takeWord("rows_from"))
      return parsePackedRows(cursor, weightSource);
    if (cursor.isString())
      return cursor.expectString("a tensor's name in quotes", weightSource.tensor);
    return cursor.expectName("a tensor's name in quotes, `unpermute_rope`, `rows_from` or another "
                             "weight",
                             weightSource.weight);
  }

  /// rows_from("tensor", first, of = all)
  bool parsePackedRows(LineCursor &cursor, WeightSource &weightSource) {
    if (!cursor.expectMark("("))
      return false;
    weightSource.at = cursor.here();
    if (!cursor.expectString("a tensor's name in quotes", weightSource.tensor) ||
        !cursor.expectMark(",") || !(weightSource.first_row = parseExpr(cursor)) ||
        !cursor.expectMark(",") || !cursor.expectWord("of") || !cursor.expectMark("="))
      return false;
    weightSource.all_rows = parseExpr(cursor);
    return weightSource.all_rows && cursor.expectMark(")");
  }

  void parsePart(LineCursor &cursor) {
    Part part;
    part.at = cursor.here();
    if (!cursor.expectName("the name of the part", part.name) || !cursor.expectMark("("))
      return;
    if (!cursor.takeMark(")")) {
      do {
        std::string parameter;
        if (!cursor.expectName("a parameter's name", parameter))
          return;
        part.parameters.push_back(std::move(parameter));
      } while (cursor.takeMark(","));
      if (!cursor.expectMark(")"))
        return;
    }
    if (!cursor.expectEnd())
      return;
    parseBody(part.body);
    out.parts.push_back(std::move(part));
  }

  void parseLayer(LineCursor &cursor) {
    LayerBlock block;
    block.at = cursor.here();
    if (!cursor.expectName("the layer's name, as in `layer i`", block.index))
      return;
    if (cursor.takeWord("otherwise"))
      block.otherwise = true;
    else if (cursor.takeWord("when") && !(block.condition = parseExpr(cursor)))
      return;
    if (!cursor.expectEnd())
      return;
    parseBody(block.body);
    out.layers.push_back(std::move(block));
  }

  void parseBody(std::vector<Statement> &body) {
    forEachLine([&](LineCursor &cursor) {
      Statement statement;
      statement.at = cursor.here();
      if (cursor.isCall()) {
        statement.value = parseExpr(cursor);
      } else if (cursor.expectName("`name = value` or a part's call", statement.name) &&
                 cursor.expectMark("=")) {
        statement.value = parseExpr(cursor);
      }
      if (statement.value && cursor.expectEnd())
        body.push_back(std::move(statement));
    });
  }

  Description &out;
  Diagnostics &diagnostics;
  std::vector<TokenLine> lines;
  size_t next = 0;
};

} // namespace

void moire::parseText(Description &description, Diagnostics &diagnostics) {
  Parser(description, diagnostics).run();
}
