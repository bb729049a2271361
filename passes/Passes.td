//===- Passes.td - Passes on the moe dialect: tensors in, tensors out, no target ------------------===//
//
// Each description holds IR before and after; test/passes/examples.mlir runs them.

#ifndef MOIRE_PASSES
#define MOIRE_PASSES

include "mlir/Pass/PassBase.td"

def CanonicalizeRoute : Pass<"moe-canonicalize-route", "::mlir::ModuleOp"> {
  let summary = "Says routers that mean the same in the same, simplest way";
  let description = [{
    A softmax of all logits, normalized over the chosen experts, is a softmax of the chosen logits: it
    needs as many exponentials as experts are chosen. What is added to the divisor may be so little
    that the sum's rounding loses it; then it does not matter. Groups go where the limit excludes
    none of them, or, of groups that are compared by their best expert, admits as many as experts are
    chosen. Biases, other groups and what else changes a result stay.

    Before:
    ```mlir
    func.func @mixtral(%logits: tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>) {
      %ids, %weights = moe.route softmax %logits {groups = 4 : i64, group_limit = 4 : i64,
                                                  normalize = 1.0e-20 : f64, scaling = 2.0 : f64}
        : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
      return %ids, %weights : tensor<?x2xi32>, tensor<?x2xf32>
    }
    ```

    After:
    ```mlir
    func.func @mixtral(%logits: tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>) {
      %ids, %weights = moe.route softmax_chosen %logits {scaling = 2.0 : f64}
        : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
      return %ids, %weights : tensor<?x2xi32>, tensor<?x2xf32>
    }
    ```

    The weights are equal but for rounding. Scores that are equal only because they were rounded no
    longer tie: the larger logit is chosen.
  }];
}

def FuseQkv : Pass<"moe-fuse-qkv", "::mlir::ModuleOp"> {
  let summary = "Makes one product of the query, key and value projections";
  let description = [{
    The projections of an attention read the same rows. One product with their weights' rows one
    after another reads them once, has more columns to share between threads, and needs one barrier
    instead of three. The weights are not copied: a new weight symbol has a `#moe.concat` recipe.

    Before:
    ```mlir
    moe.weight @q : tensor<2x32x32xbf16> = #moe.source<"{i}.q", layers = [0, 1]>
    moe.weight @k : tensor<2x16x32xbf16> = #moe.source<"{i}.k", layers = [0, 1]>
    moe.weight @v : tensor<2x16x32xbf16> = #moe.source<"{i}.v", layers = [0, 1]>
    func.func @layer(%i: index, %h: tensor<?x32xf32>, %keys: tensor<2x?x?x1x16xf32>,
                     %values: tensor<2x?x?x1x16xf32>, %slots: tensor<?xi32>,
                     %positions: tensor<?xi32>) -> tensor<?x32xf32> {
      %wq = moe.read @q[%i] : tensor<32x32xbf16>
      %q = moe.linear %h, %wq : tensor<?x32xf32>, tensor<32x32xbf16> -> tensor<?x32xf32>
      %wk = moe.read @k[%i] : tensor<16x32xbf16>
      %k = moe.linear %h, %wk : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
      %wv = moe.read @v[%i] : tensor<16x32xbf16>
      %v = moe.linear %h, %wv : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
      %keys1 = moe.kv_append %k into %keys[%i] at %slots, %positions
        : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
      %values1 = moe.kv_append %v into %values[%i] at %slots, %positions
        : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
      %o = moe.attention %q, %keys1, %values1[%i] at %slots, %positions {scale = 2.5e-1 : f64}
        : tensor<?x32xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
      return %o : tensor<?x32xf32>
    }
    ```

    After:
    ```mlir
    moe.weight @q : tensor<2x32x32xbf16> = #moe.source<"{i}.q", layers = [0, 1]>
    moe.weight @k : tensor<2x16x32xbf16> = #moe.source<"{i}.k", layers = [0, 1]>
    moe.weight @v : tensor<2x16x32xbf16> = #moe.source<"{i}.v", layers = [0, 1]>
    moe.weight @q_k_v : tensor<2x64x32xbf16> = #moe.concat<@q, @k, @v>
    func.func @layer(%i: index, %h: tensor<?x32xf32>, %keys: tensor<2x?x?x1x16xf32>,
                     %values: tensor<2x?x?x1x16xf32>, %slots: tensor<?xi32>,
                     %positions: tensor<?xi32>) -> tensor<?x32xf32> {
      %w = moe.read @q_k_v[%i] : tensor<64x32xbf16>
      %qkv = moe.linear %h, %w : tensor<?x32xf32>, tensor<64x32xbf16> -> tensor<?x64xf32>
      %c0 = arith.constant 0 : index
      %t = tensor.dim %qkv, %c0 : tensor<?x64xf32>
      %q = tensor.extract_slice %qkv[0, 0] [%t, 32] [1, 1] : tensor<?x64xf32> to tensor<?x32xf32>
      %k = tensor.extract_slice %qkv[0, 32] [%t, 16] [1, 1] : tensor<?x64xf32> to tensor<?x16xf32>
      %v = tensor.extract_slice %qkv[0, 48] [%t, 16] [1, 1] : tensor<?x64xf32> to tensor<?x16xf32>
      %keys1 = moe.kv_append %k into %keys[%i] at %slots, %positions
        : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
      %values1 = moe.kv_append %v into %values[%i] at %slots, %positions
        : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
      %o = moe.attention %q, %keys1, %values1[%i] at %slots, %positions {scale = 2.5e-1 : f64}
        : tensor<?x32xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
      return %o : tensor<?x32xf32>
    }
    ```

    Norms of queries and keys, of each head or of all, stay behind the product.

    Where the weights are stored in different formats (files of K-quants often have other values than
    queries and keys), those of one format become one, and the products stand one after another: no
    barrier is needed between them.

    An attention without keys and values of its own (they come from another layer's state) keeps its
    products, as do products that differ in what they read, in the format of all their weights, or in
    whether they have a bias. A remark says which.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

def FuseGateUp : Pass<"moe-fuse-gate-up", "::mlir::ModuleOp"> {
  let summary = "Makes one product of the gate and up projections of a gated FFN";
  let description = [{
    `gate` and `up` meet element by element: computed together, their products never reach memory,
    only what the gate makes of them does.

    Before:
    ```mlir
    moe.weight @gate : tensor<48x32xbf16> = #moe.source<"gate">
    moe.weight @up : tensor<48x32xbf16> = #moe.source<"up">
    func.func @ffn(%h: tensor<?x32xf32>) -> tensor<?x48xf32> {
      %wg = moe.read @gate : tensor<48x32xbf16>
      %g = moe.linear %h, %wg : tensor<?x32xf32>, tensor<48x32xbf16> -> tensor<?x48xf32>
      %wu = moe.read @up : tensor<48x32xbf16>
      %u = moe.linear %h, %wu : tensor<?x32xf32>, tensor<48x32xbf16> -> tensor<?x48xf32>
      %y = moe.gate silu %g, %u : tensor<?x48xf32>
      return %y : tensor<?x48xf32>
    }
    ```

    After:
    ```mlir
    moe.weight @gate : tensor<48x32xbf16> = #moe.source<"gate">
    moe.weight @up : tensor<48x32xbf16> = #moe.source<"up">
    moe.weight @gate_up : tensor<96x32xbf16> = #moe.concat<@gate, @up>
    func.func @ffn(%h: tensor<?x32xf32>) -> tensor<?x48xf32> {
      %w = moe.read @gate_up : tensor<96x32xbf16>
      %y = moe.gated_linear silu %h, %w
        : tensor<?x32xf32>, tensor<96x32xbf16> -> tensor<?x48xf32>
      return %y : tensor<?x48xf32>
    }
    ```

    Products with a bias, with other users, of different rows or with differently stored weights stay
    as they are. A remark says why.

    The gates and ups of experts become one weight in the same way, expert by expert, and their
    `moe.experts` is `gated`.
  }];
}

def ChooseWeights : Pass<"moe-choose-weights", "::mlir::ModuleOp"> {
  let summary = "Chooses which weights are rounded to which of our own formats";
  let description = [{
    `rules` say what becomes of which weights: `int4:g128` makes blocks of 128 columns with codes of
    4 bits of all matrices, `int4:g128,*down*=int8,head=keep` does so with two exceptions; with `:bf16`
    behind (`int4:g128:bf16`) scales have the range of f32, and fewer digits than in f16. A name is
    `router`, `embedding`, `head`, `experts` or a pattern for the names of the file's tensors; the last
    rule that matches counts (passes/quantization/WeightRules.h). The type of the weight then says the
    format, which is a step of its recipe: nothing is rounded before the program is put together.

    Before:
    ```mlir
    moe.weight @a : tensor<8x64xbf16> = #moe.source<"a.up">
    moe.weight @b : tensor<64x8xf32> = #moe.source<"a.short">
    func.func private @two(%h: tensor<?x64xf32>) -> tensor<?x64xf32> {
      %a = moe.read @a : tensor<8x64xbf16>
      %x = moe.linear %h, %a : tensor<?x64xf32>, tensor<8x64xbf16> -> tensor<?x8xf32>
      %b = moe.read @b : tensor<64x8xf32>
      %y = moe.linear %x, %b : tensor<?x8xf32>, tensor<64x8xf32> -> tensor<?x64xf32>
      return %y : tensor<?x64xf32>
    }
    ```

    After, with `rules=int4:g64`:
    ```mlir
    moe.weight @a : tensor<8x64xf32, #moe.block<int4_g64>> = #moe.source<"a.up">
    moe.weight @b : tensor<64x8xf32> = #moe.source<"a.short">
    func.func private @two(%h: tensor<?x64xf32>) -> tensor<?x64xf32> {
      %a = moe.read @a : tensor<8x64xf32, #moe.block<int4_g64>>
      %x = moe.linear %h, %a
        : tensor<?x64xf32>, tensor<8x64xf32, #moe.block<int4_g64>> -> tensor<?x8xf32>
      %b = moe.read @b : tensor<64x8xf32>
      %y = moe.linear %x, %b : tensor<?x8xf32>, tensor<64x8xf32> -> tensor<?x64xf32>
      return %y : tensor<?x64xf32>
    }
    ```

    (The rows of the other weight are shorter than 32 columns.)

    Rules without a name leave routers as they are, whose choices are the one place where a small error
    changes which weights are read, and make blocks of 8 bits of embeddings and heads that are f32,
    f16 or bf16; those in blocks stay. Weights that are in blocks already are rounded a second time,
    with a warning.
  }];
  let options = [Option<"rules", "rules", "std::string", "\"keep\"",
                        "which weights become what: int4:g128,head=int8 (see WeightRules.h)">];
}

def ChooseActivations : Pass<"moe-choose-activations", "::mlir::ModuleOp"> {
  let summary = "Chooses in which number format the inputs of products are stored";
  let description = [{
    With `format=int8`, rows that are multiplied with weights in blocks are themselves rounded to
    blocks of int8, so that the product is one of integers. They are rounded once, however many
    products of a block read them. Products with plain weights (f32, f16, bf16) keep f32 rows.

    The blocks are as wide as the scales of the weights reach, from 32 to 256 columns: a sum of integers
    then needs one scaling. Where several products read the same rows, the narrowest decides.

    Of experts, the hidden rows are rounded if `down` is in blocks, whether what they are made of is
    rounded or not.

    `format=bf16` does the same, and rounds rows that are multiplied with bf16 weights to bf16:
    machines have instructions for products of pairs of them.

    Before:
    ```mlir
    func.func @two(%h: tensor<?x32xf32>, %a: tensor<8x32xf32, #moe.block<q4_0>>,
                   %b: tensor<8x32xf32, #moe.block<q8_0>>) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
      %x = moe.linear %h, %a
        : tensor<?x32xf32>, tensor<8x32xf32, #moe.block<q4_0>> -> tensor<?x8xf32>
      %y = moe.linear %h, %b
        : tensor<?x32xf32>, tensor<8x32xf32, #moe.block<q8_0>> -> tensor<?x8xf32>
      return %x, %y : tensor<?x8xf32>, tensor<?x8xf32>
    }
    ```

    After:
    ```mlir
    func.func @two(%h: tensor<?x32xf32>, %a: tensor<8x32xf32, #moe.block<q4_0>>,
                   %b: tensor<8x32xf32, #moe.block<q8_0>>) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
      %q = moe.quantize_rows %h : tensor<?x32xf32> -> tensor<?x32xf32, #moe.block<int8>>
      %x = moe.linear %q, %a : tensor<?x32xf32, #moe.block<int8>>,
        tensor<8x32xf32, #moe.block<q4_0>> -> tensor<?x8xf32>
      %y = moe.linear %q, %b : tensor<?x32xf32, #moe.block<int8>>,
        tensor<8x32xf32, #moe.block<q8_0>> -> tensor<?x8xf32>
      return %x, %y : tensor<?x8xf32>, tensor<?x8xf32>
    }
    ```

    This changes what is computed, by the roundings and by nothing else. `format=f32` changes nothing.
    bf16 is not rounded to by default: a row has 8 bits of precision then, and a checkpoint of bf16
    weights is no longer computed as it would be in float32.
  }];
  let options = [Option<"format", "format", "std::string", "\"int8\"",
                        "int8 (for weights in blocks), bf16 (int8, and bf16 for such weights) or "
                        "f32">];
}

def FuseNormQuantize : Pass<"moe-fuse-norm-quantize", "::mlir::ModuleOp"> {
  let summary = "Lets a norm round its rows by itself";
  let description = [{
    A row that a norm has just computed is rounded while it is still in registers, and its f32 values
    never reach memory.

    Before:
    ```mlir
    func.func @norm(%x: tensor<?x32xf32>, %gain: tensor<32xf32>)
        -> tensor<?x32xf32, #moe.block<int8>> {
      %h = moe.rms_norm %x, %gain eps 1.0e-5 : tensor<?x32xf32>, tensor<32xf32> -> tensor<?x32xf32>
      %q = moe.quantize_rows %h : tensor<?x32xf32> -> tensor<?x32xf32, #moe.block<int8>>
      return %q : tensor<?x32xf32, #moe.block<int8>>
    }
    ```

    After:
    ```mlir
    func.func @norm(%x: tensor<?x32xf32>, %gain: tensor<32xf32>)
        -> tensor<?x32xf32, #moe.block<int8>> {
      %q = moe.rms_norm %x, %gain eps 1.0e-5
        : tensor<?x32xf32>, tensor<32xf32> -> tensor<?x32xf32, #moe.block<int8>>
      return %q : tensor<?x32xf32, #moe.block<int8>>
    }
    ```

    A norm that something else reads too, as a router does, stays for that, and a second one rounds:
    it computes the same values again, and does not have to wait for the first.
  }];
}

#endif
