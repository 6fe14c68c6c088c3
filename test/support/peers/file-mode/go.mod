module file-mode

go 1.25.0
