#include "frontends/weights/IqGrids.h"

#include <string_view>

using namespace moire;

// A point is written as a number, the levels of its coordinates as digits, the first the lowest.
// The points of a grid ascend, so what stands here are the differences: a letter from '(' (0) to
// 'Z' (50) is the last of a difference, its digit of 51; small letters in front of it are a
// multiple of 51 to the base of 26.
// clang-format off

static constexpr char kIq2xxs[] =
    "(*++*/+4*.*?+401+D*0@bT+4-Sb9<c**HbUhB+49+D*.@I+4<bQ*.@NK?9c:/Xb9HgR-+4<A+4*b+c>b1dQ:bdN+49GHL"
    "4-c-0@X2Nd3IiK0@-Lb,cZb?d->jH+4Xb6cA-d*d@bcC*0b/EG*d6GdG*k)+4X>d9b6KfUh;@c6i@ef.+401+D062I+4c2"
    "Hb6G-c>7b-6:i(0@bUAc;:e8k++4X-dJbM1IdRb@bb7010/bU0c>b3bWeIk)*c:eSbHi<90b@e8dWbe*4XPcZbJdRb=i0-"
    "f4*c4nOep1*0b,b6cD<Pe-jM+4-SHd/b;bCc7b,Hi2f+f6bdT4<DbVc7c,dTiKJJf6q(d.biDbCb*cFeSkBv1dC";

static constexpr char kIq2xs[] =
    "(*++*/+*+/*++A+*+/*++1+D*++1+-/bV+*+/*++*/+D*++1+40A+4c2*++1+4I+4-S2h:+*+/*++1+D*++1+*2I+4c2*+"
    "+1+4I+49GcC+4>B*b7h?*++*/+4-D+40PH2bL+4Xb60c9H0c02bb(+*+/*++1+D*++1+42?+4c2*++1+4I+4X<*c-+*2XH"
    "i0*++1+4I+-/<DcC+4XdO<b*iH+4*V<Zc<-bVeGbMbaQ*++*/+4I+4XHbV+4X0Ed*JbSPgO+4A?dOb69b<c*AcNgP0*>b*"
    "b(BdUPc:@bW.*edN+*+/*++1+D*++*/+4-D+4c2*++1+4I+4X-EbT+4*??iP*++1+-/I+4X<c/+4<DbOc(2b/4iA+4X-76"
    "d-9b(4Ad*be**++1+40A+4XcC+4-S*dMb9c(gM+49GHIHbT0c:0d(b<b.gU<U7b>cCN*g9bbC+4X<6LKbLfMNb=h1>eVX-"
    "bTlTc+dJe=bC6eeB*++1+42?+4X*N*bL+*2X90d6HbU*F0gO+4*+SHQc9b9bVc5bGhY0Eb*N*NbSfEbS06:baS+4X>Vc>J"
    "b7eNb(h:-b440e-c)*d>k:bJd2e(b@bc4*.*>2c8d@0bBbO*.JbKHi0bJj-b(h5>*.c:0bQcB*d1*c)A";

static constexpr char kIq2s[] =
    "(*++*/+*+/*++A+*+/*++1+*+?*++1+4--bL+*+/*++1+D*++1+*+/-+A+4*+4+bQ*++1+42?+*+/-S--26gU+*+/*++1+"
    "*+?*++*/+*+/*+D+*+/-+1+bQ*++*/+*+/-+A+*+/*++1+D*++1+4bV+*+/-S-+1+4I+4h3*++1+*+/--?+*+/*++1+D-7"
    ">bL+4*++1G-+1+4I7c29+6.*Nb>bb/+*+/*++1+*B*++1+*+/*++A+*2-+1+bQ*++*/+*+/*++A+*+/*++1+D*++1+c/+-"
    "/-4+D-4+U+4h3*++1+*+/-+A+*+/*++1+D*++1+4bV+*+/*++1+D*++1+4I+4c2-+1+4I+4XRgM+*+/-+1G*++1+4I+c>*"
    "++1+4I+4Ab.bW4X>bc>*++1+*+/--?+4*+7D22>bL+4*+4G*+4+4I+4c22@.*B4b-*FgO+*+/-+1+D*++1+4I+4c2-+1+4"
    "I+4>BcC+4XAi7-4+U+4b/HbL+4cGc7@b7L*edN+*+/*++*/+*B*++*/+*+/*+D+4-+1+bQ*++1+*+/*+D+*+/*++1+D*++"
    "1+4bV+4*++4D-+1+4I+h?*++*/+*+/*++A+*+/*++1+D*++1+4bV+*+/*++1+D*++1+42?+4c2*++1+4I+4XMgR+-/*++1"
    "+D*++1+4L4c2*++1+4I+4X>c-+4XbcT*++1+*+/*++A+*+/*++1+D*++1+c/+*+/*++1+D*++1+4I+4c2-+1+4I+4A?hD+"
    "*+/*++1+D*++1+4I+4c2*++1+4I+4XcC+4>BiP*++1+4I+42NcC+4XdOAc.KbaS+*2*++1+D-+1+4L4c2*++1+4I+4XAc-"
    "4X>b@gU-+1+4I+4XcC+4X2FRc0cVh0+4bJb(c*RfAbTed6*++1+-/-D+4*++1G-4+c/+-/*++1+D*++1+U+4AbL--/+U+4"
    "iA+*+/*++1G*++1+4I+4c2*++1+4I+4X2c9+4A?iP-4+U+4bGbT+b1MdLb+*PHbaY+-/*++4D*++1+4I+4c2-4+U+42d6+"
    "4Xc(gP*++1+4I+4X>c-+4XbM1bTb;Fi-+4>Bc+bLb>1g4bb7--260?+4bG0cXMd,0@.*bM.*FgO+4Xb>CbQAg.iIFc<dAZ"
    "cD*>*.bUJ";

static constexpr char kIq3xxs[] =
    "(**-*,)*/1A*,*-*/,+*/340**-/*/*,2.6,.)*3K;<-34*,.;8b(?<,*=68*-*/*-**3)@*//*W*-*//J.*61583,KP,:"
    ";4bB6H*/*-*,+1G**+*//C,)0*/.)*5)5</,T,I6@<2Cb:*3?D/*/*=5-.*613*C*-5=87:b27;..4CG:=P=<36*4,bB<7"
    ")8.9FGM3I6=bB+*6Z??0.8?G6H0QE3,K0?bDT6Z8*6EHFML.b;IMYP6Z**):8T2RC->56=I8G*:b9";

static constexpr char kIq3s[] =
    "())+*)))***),.-*+***-*/++)))*,),++,*,/5,-.),*)+++,+,.+***5+0.,+*/*+.,*5*,+3,*+..+.72*4*,-.,*7-"
    "3+*697/**4*,-5,<))*,)***)*/+*6*+1.)*+*,-/+./*6.*2+*),..+2+2/++)+..),-9.3*-*5*/,*,=/+./*7O,+5*C"
    "*-*/4,9.0)***)***+*,)*/**+*5)+*+*.+,++,+./@++2*-/*2,2+,*+,1*-*/.63.1+/+,A+/-15)350*-2D,<,5*3-B"
    "/***+/**-*+*2.0**/-*582,*2.2*4A/,-*,)1*,.60.-,/9.,5/*3-225;;H*5*3K,..,++//82-**/.-..,<*--,2-7+"
    ".4-*-*/,K*:3)A4*2IA9<@-33.A.,.6,++4.-**-/1H.12-.5?-)75-4..+424L4;*b,H*6b,**4*=88/E>:.3-.04-7b*"
    "676+A<=CQ*b*,+1*4*4.8/37*D+,.+/9A@+6>,.-@R8H?O";

static constexpr char kIq1[] =
    "(*++*/,3*.*C4+*7C*.*33*.*bO)4+*+)3D-+1+-/+**E4+*7bP*.*33*.*C403-?*.*/,,/*.*h*+*7D04-2)T04bQ+))"
    "7+*7?--.)+))+/*++*?8,+*/+))+c--P+4*++0)-+D4+-h**.*33*.*C4-7C*.*33*.*bP4+-3)D7),4+-P+*+4bP*.*33"
    "*.*C400,C*++*33*.*bb-)+-3)D+4-+1+),P+*3,bQ+*+/*++1+-D-.))*))+/-G6+4+c/+*7C.+1++*2*G4+*7gR-+3)+"
    ")0-C,)**/+))+1++D-/,)+))/+),bN+-/+))+/*++*?+))3)*))+)/+))+?**)+*.)+))+).*+bQ+))7)**/-B**)+*/,)"
    "*)0+)+))D,0+7-h+-7D+*+/-+*.)+*+D4+9c-*+-/,E*)+1+))+).--G0)++1-+bU56*F*+/*++1-+D4-,bb-*.*33*++*"
    "C400,C*.*33*++*bP4+-4E*-4+*/+))G3.+4bQ/*/,3*.*C4-+4D/*/,3*.*gQ7*+4G))+1++*4G4+-0,bY440?-+1+),1"
    "++I/,)+*/+*+bQ3*/4D043)0C*22h)*.*33*.*C4+9C*.*>*.*bT0+-4I+1+4+*+D3.+3)bP*.*>*.*C4-+4C*.*33*.*e"
    "d24-7L1++*/+*V-0-bO)+*+1+)**/-+D+*/+))+)3+*?+*2*+3))bX4+*7D9+-2-H39gR<,8D+*/+))3)++*?-+/*+3)0b"
    "M)+-/+))+/--?+))+/)+))*)0+))+A*)+1+))+)3+*bL,,3)+*/+-?*++0))+)+1++A,-2)4+*gU4,-3E//-+1+*+D4+*+"
    "4bQ,),.,)+1+*B--/)*))+/*+),D+1+)*1+*+c/V*+4+*2-S9baV+))+1+-/+-?-+1+))+4+F+4+0)-+bQ+))/+))*)/-)"
    "**?+))+/))*))*))/+))+A+4+))+/--bL-4+-/+F+-/+))+1+H3*+,)2gV)4+))*)0,+*?+))+).)+))*))/)*))+?0*/+"
    "))+0+)-bL)*))+/))*))+)/+))+?))*))*)/))*))*)).)+))*))?+),).)+))*)0+))+bL))***)0+)+)/))*))*)@,)*"
    ")).))*))*))/+),A+)*))/,-0+)*)gQ))+/-+11C+*/+))*)/**)E//*++10bM)+-/+))+4D+))+/))*))*))/+))+@,,0"
    "+))*)4bT,5-.-)+D+)0,)*)1++*?10+)**/bb+7*+4G4-)**/+*+@=7bQ+*+1+4),+D,0,)+4),B.0+4-+c*-+O)-7)*0M"
    "4-7h/)+),/-+?*++*/+))+).*+G),/**))**/+-bQ+*/,)+S))+/)+))+0+))+E+)/,)+)0+)*bO/43.*)?-+*/+))**.-"
    "+@*+-2**)/,*,h/+4D9+-/0D4/6bP+4-4+*+?),)*1+))+/--@*.34+),c*-*Q+-/-+*2),E6,*4ed1*.*>*.*C3)+*+4C"
    "*.*33*.*bP4+*+4D+-/*+)*)3*+D,3*+4bP*.*33*.*O+-4C*.*33*.*h--P+5,-/+-S-c*01+-4+?),+1+))+)3)**?+*"
    "+/*++6c--+4D+-).-,)/-,C412gR*.*33*.*?,4+-4,?*.*33*.*bP)3+*7D+*+/*+-/+I9+4bP*.*33*.*C4+*R*.*33*"
    ".*baU4-*)4D-+4+*7)C4+*+4bQ+*+/-+*/+*+?-3)+))+1+G*4++1+*+bQ4+-4G*+/*++6+D7*;gN+*2-+6B2/+))*)/))"
    "+G*4*)+10bL-+*.)+))+0,,)?+))+/))*))*))/+))+@,+1)*))+).*++*bL+4-,/.+D+)0)+)+4+B*-)0*)7*+gR9+4D-"
    "2*+),2)H4-+4bT*+/*++*.)+*B*++*/+))+1+),?+4*+-/-bT88G*+/-+1L4+))bb1*.*33*.*C4+*+O*.*33*.*bP,0+*"
    "+)T+0,+*/+I3*,+c+.*.11.*C4-+4C*.*33*.*h24D+4,)+*/,)*)DcC+/*++6+A+4+))+4-?+))+1++c/4-,/,G*,0+)*"
    "0*L2-)+0+*gP*.*>*.*O+*+O*.*33*.*bP7-0,D7--/-+O.c,*.*>*.*O+*R*.*33*.*";
// clang-format on

namespace {

template <size_t points, size_t coordinates> struct Reader {
  IqGrid<points, coordinates> grid;

  /// `bits` of a coordinate's level, `levels` their values.
  Reader(std::string_view differences, const int8_t *levels, unsigned bits) {
    uint32_t code = 0, high = 0;
    size_t point = 0;
    for (char letter : differences) {
      if (letter >= 'a') {
        high = high * 26 + uint32_t(letter - 'a');
        continue;
      }
      code += high * 51 + uint32_t(letter - '(');
      high = 0;
      for (size_t j = 0; j < coordinates; ++j)
        grid[point][j] = levels[code >> bits * j & ((1u << bits) - 1)];
      ++point;
    }
  }
};

} // namespace

static constexpr int8_t kLevels2[] = {8, 25, 43};

const IqGrid<256, 8> &moire::iq2xxsGrid() {
  static const Reader<256, 8> reader(kIq2xxs, kLevels2, 2);
  return reader.grid;
}

const IqGrid<512, 8> &moire::iq2xsGrid() {
  static const Reader<512, 8> reader(kIq2xs, kLevels2, 2);
  return reader.grid;
}

const IqGrid<1024, 8> &moire::iq2sGrid() {
  static const Reader<1024, 8> reader(kIq2s, kLevels2, 2);
  return reader.grid;
}

const IqGrid<256, 4> &moire::iq3xxsGrid() {
  static constexpr int8_t levels[] = {4, 12, 20, 28, 36, 44, 52, 62};
  static const Reader<256, 4> reader(kIq3xxs, levels, 3);
  return reader.grid;
}

const IqGrid<512, 4> &moire::iq3sGrid() {
  static constexpr int8_t levels[] = {1, 3, 5, 7, 9, 11, 13, 15};
  static const Reader<512, 4> reader(kIq3s, levels, 3);
  return reader.grid;
}

const IqGrid<2048, 8> &moire::iq1Grid() {
  static constexpr int8_t levels[] = {-1, 0, 1};
  static const Reader<2048, 8> reader(kIq1, levels, 2);
  return reader.grid;
}
