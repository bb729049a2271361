//===- WeightOps.td - Weight symbols, reading them, taps ------------------------------------------===//

def Moe_WeightOp : Op<Moe_Dialect, "weight",
                      [Symbol, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "A weight: a shape, an element type and a recipe, no data";
  let description = [{
    `recipe` is a `#moe.source` (a tensor of the model's file, or one a layer: then the first
    dimension of the type counts the layers), or a `#moe.concat` of other weights. A weight with
    experts has a matrix for each: [layers,] experts, rows, K.

    An encoding that is one of our own formats is a step of the recipe: the values of the file's
    tensors are rounded to it when the program is put together. With any other the tensors are stored so.

    ```mlir
    moe.weight @q : tensor<2x576x576xf32, #moe.block<q4_1>>
      = #moe.source<"blk.{i}.attn_q.weight", layers = [0, 1], interleaved_heads = 9>
    moe.weight @gate : tensor<2x16x32x64xbf16>
      = #moe.source<"model.layers.{i}.mlp.experts.{e}.gate_proj.weight", layers = [0, 1], experts = 16>
    moe.weight @up : tensor<2x16x32x64xbf16>
      = #moe.source<"blk.{i}.ffn_gate_up_exps.weight", layers = [0, 1], experts = 16, first_row = 32>
    moe.weight @gate_up : tensor<2x16x64x64xbf16> = #moe.concat<@gate, @up>
    ```

    Constraints:
    * (C1) `recipe` is a `#moe.source` or a `#moe.concat`.
    * (C2) A source with layers has as many as the first dimension of the type; `{i}` is in its name.
    * (C3) The parts of a concat are weights with the same element type, encoding, stack, experts and
      K; their rows add up to the rows of this weight; no weight is a part of itself.
    * (C4) The shape is static.
    * (C5) An encoding is a block format for weights, the element type then f32, and its block (of our
      own formats: 32 columns, as the last block of a row may be short) divides the last dimension.
    * (C6) A source with experts has a dimension of as many behind the layers, then the rows and K of
      their matrices. `{e}` is only in the name of a source with experts.
    * (C7) `first_row` is not negative, and of a weight that consists of matrices.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<AnyRankedTensor>:$type, AnyAttr:$recipe);
  let assemblyFormat = "$sym_name `:` $type `=` $recipe attr-dict";
  let hasVerifier = 1; // C3 looks at other symbols: verifySymbolUses
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getWeightType() {
      return ::llvm::cast<::mlir::RankedTensorType>(getType());
    }
    /// Slices of the stack, or 0 for a weight that is not stacked. A concat's is that of its first
    /// part, looked up in the module; 0 where that is no weight.
    int64_t getStack();
    /// Matrices of a slice, one for each expert, or 0 for a weight that has no experts. Found as
    /// getStack is.
    int64_t getExperts();
    /// The dimension of the type that counts the rows.
    int64_t getRowDim() { return (getStack() > 0) + (getExperts() > 0); }
    /// The recipe itself, or that of a concat's first part and so on; null where there is none.
    ::mlir::moe::SourceAttr getFirstSource();
  }];
}

def Moe_ReadOp : Op<Moe_Dialect, "read",
                    [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "The value of a weight, or of one slice of a stacked weight";
  let description = [{
    ```mlir
    %w = moe.read @q[%layer] : tensor<576x576xf32, #moe.block<q4_1>>
    %e = moe.read @embedding : tensor<49152x576xbf16>
    %g = moe.read @gate[%layer] : tensor<16x32x64xbf16>
    ```

    Constraints:
    * (C1) `weight` names a `moe.weight`.
    * (C2) Without a slice the type is the weight's; with one, which only a stacked weight has, the
      weight's without its first dimension.
  }];
  let arguments = (ins FlatSymbolRefAttr:$weight, Optional<Index>:$slice);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$weight (`[` $slice^ `]`)? attr-dict `:` type($result)";
}

def Moe_TapOp : Op<Moe_Dialect, "tap", [MemoryEffects<[MemWrite]>]> {
  let summary = "Hands a value out of the program, for comparison with other implementations";
  let description = [{
    ```mlir
    moe.tap %x[%layer] : tensor<?x576xf32>
    ```
    `index` counts the residual streams entering the layers; the last is what enters the final norm.
  }];
  let arguments = (ins Moe_Rows:$value, Index:$index);
  let assemblyFormat = "$value `[` $index `]` attr-dict `:` type($value)";
}

def Moe_TapRouteOp : Op<Moe_Dialect, "tap_route", [MemoryEffects<[MemWrite]>]> {
  let summary = "Hands a layer's choice of experts out of the program";
  let description = [{
    Row t of `ids` are the experts of token t, in the order in which they were chosen; `weights` are
    what their results are multiplied by.

    ```mlir
    moe.tap_route %ids, %weights[%layer] : tensor<?x4xi32>, tensor<?x4xf32>
    ```

    Constraints:
    * (C1) `weights` has the shape of `ids`.
  }];
  let arguments = (ins Moe_ChosenIds:$ids, Moe_PlainRows:$weights, Index:$layer);
  let assemblyFormat = [{
    $ids `,` $weights `[` $layer `]` attr-dict `:` type($ids) `,` type($weights)
  }];
  let hasVerifier = 1;
}
