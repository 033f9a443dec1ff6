module github.com/kun-ml/kun

go 1.26
