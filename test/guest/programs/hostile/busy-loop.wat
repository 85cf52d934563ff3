;; Never returns and calls nobody.
(module
  (func (export "_start") (loop $for_ever (br $for_ever))))
